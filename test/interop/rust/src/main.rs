//! An echo server and its client on the crate `tokio-aws-lc`, for the tests to talk with.
//!
//! ```text
//! rust-peer server --cert F --key F [--bytes N]   prints `listening on PORT`
//! rust-peer client --ca F --port P --bytes N [--name localhost]
//! both: [--version TLSv1.3] [--suites A,B] [--alpn A,B] [--ktls off]
//! ```
//!
//! Each end prints a line of JSON after the handshake and one when the connection is over. A server
//! with `--bytes` is the first to end, after so many; without, it ends when its client has. The
//! client ends after it has all its bytes back, unless the server was first.

mod config;
mod options;
mod pattern;

use std::error::Error;
use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_aws_lc::{TlsAcceptor, TlsConnector, TlsStream};

use options::Options;
use pattern::Pattern;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let (mode, options) = Options::from_args()?;
    match mode.as_str() {
        "server" => serve(&options).await,
        "client" => call(&options).await,
        other => Err(format!("{other} is neither `server` nor `client`").into()),
    }
}

/// Serves one connection after another until it is killed; a failed one is reported and no reason
/// to stop.
async fn serve(options: &Options) -> Result<()> {
    let acceptor = TlsAcceptor::new(config::server(options)?);
    let limit = options.number("bytes")?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on {}", listener.local_addr()?.port());
    loop {
        let (tcp, _) = listener.accept().await?;
        match acceptor.accept(tcp).await {
            Ok(mut tls) => {
                report_handshake(&tls);
                let (echoed, end) = echo(&mut tls, limit).await;
                println!("{{\"echoed\":{echoed},\"end\":{:?}}}", described(end));
            }
            Err(error) => println!("{{\"refused\":{:?}}}", error.to_string()),
        }
    }
}

/// Sends back what comes, `limit` bytes at most, and ends; answers how many there were and how the
/// peer ended.
async fn echo(tls: &mut TlsStream, limit: Option<usize>) -> (usize, io::Result<()>) {
    let mut echoed = 0;
    let end = async {
        let mut buffer = vec![0; 50_000];
        while limit.is_none_or(|limit| echoed < limit) {
            let length = tls.read(&mut buffer).await?;
            if length == 0 {
                return tls.shutdown().await;
            }
            tls.write_all(&buffer[..length]).await?;
            echoed += length;
        }
        tls.shutdown().await?;
        end_of(tls).await
    };
    let end = end.await;
    (echoed, end)
}

/// Sends bytes, checks every one that comes back, and ends.
async fn call(options: &Options) -> Result<()> {
    let connector = TlsConnector::new(config::client(options)?);
    let port: u16 = options.number("port")?.ok_or("--port is missing")?;
    let length: usize = options.number("bytes")?.ok_or("--bytes is missing")?;
    let name = options.get("name").unwrap_or("localhost");
    let tcp = TcpStream::connect(("127.0.0.1", port)).await?;
    let tls = connector.connect(name, tcp).await?;
    report_handshake(&tls);

    let (mut reader, mut writer) = tokio::io::split(tls);
    let sending = async {
        let mut pattern = Pattern::new();
        let mut sent = 0;
        while sent < length {
            let piece = pattern.take(usize::min(length - sent, 30_001));
            writer.write_all(&piece).await?;
            sent += piece.len();
        }
        writer.flush().await
    };
    let receiving = async {
        let mut pattern = Pattern::new();
        let mut received = 0;
        let mut buffer = vec![0; 50_000];
        while received < length {
            let count = reader.read(&mut buffer).await?;
            if count == 0 {
                return Err(io::Error::other(format!("ended after {received} bytes")));
            }
            if buffer[..count] != pattern.take(count) {
                return Err(io::Error::other(format!("other bytes after {received}")));
            }
            received += count;
        }
        Ok(received)
    };
    let (_, received) = tokio::try_join!(sending, receiving)?;

    let mut tls = reader.unsplit(writer);
    tls.shutdown().await?;
    let end = described(end_of(&mut tls).await);
    println!("{{\"received\":{received},\"end\":{end:?}}}");
    Ok(())
}

/// Waits for the peer's close_notify; a FIN without it is an error of the crate's.
async fn end_of(tls: &mut TlsStream) -> io::Result<()> {
    match tls.read(&mut [0]).await? {
        0 => Ok(()),
        _ => Err(io::Error::other("data after the end")),
    }
}

fn described(end: io::Result<()>) -> String {
    end.map_or_else(|error| error.to_string(), |()| "close_notify".to_owned())
}

fn report_handshake(tls: &TlsStream) {
    let negotiated = tls.negotiated();
    let alpn = negotiated.alpn().map(String::from_utf8_lossy);
    println!(
        "{{\"protocol\":{:?},\"cipher\":{:?},\"alpn\":{:?},\"serverName\":{:?},\"ktls\":{},\"eligible\":{},\"peerCertificate\":{}}}",
        negotiated.version(),
        negotiated.cipher(),
        alpn.unwrap_or_default(),
        negotiated.sni().unwrap_or_default(),
        tls.ktls_active(),
        tls.ktls_eligibility().is_compatible(),
        tls.has_peer_certificate(),
    );
}
