//! What the program is told on its command line: `server` or `client`, then `--name value` pairs.

use std::collections::HashMap;
use std::env;

pub struct Options(HashMap<String, String>);

impl Options {
    /// The mode and its options.
    pub fn from_args() -> Result<(String, Self), String> {
        let mut args = env::args().skip(1);
        let mode = args.next().ok_or("say `server` or `client`")?;
        let mut options = HashMap::new();
        while let Some(flag) = args.next() {
            let name = flag
                .strip_prefix("--")
                .ok_or(format!("{flag} is no option"))?;
            let value = args.next().ok_or(format!("--{name} needs a value"))?;
            options.insert(name.to_owned(), value);
        }
        Ok((mode, Self(options)))
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub fn required(&self, name: &str) -> Result<&str, String> {
        self.get(name).ok_or(format!("--{name} is missing"))
    }

    pub fn number<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, String> {
        self.get(name)
            .map(|value| {
                value
                    .parse()
                    .map_err(|_| format!("--{name} {value} is no number"))
            })
            .transpose()
    }

    /// The values of a list separated by commas; empty when the option is absent.
    pub fn list(&self, name: &str) -> Vec<&str> {
        self.get(name)
            .map_or_else(Vec::new, |list| list.split(',').collect())
    }
}
