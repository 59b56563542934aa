/**
 * A span for every TLS handshake, made of what the library publishes on its diagnostics channels, with the attribute
 * names of OpenTelemetry's semantic conventions. Copy `traceTls()` into a service that has set the SDK up:
 *
 *     import { trace } from '@opentelemetry/api';
 *     traceTls(trace.getTracer('tls'));
 *
 */
import { tracingChannel } from 'node:diagnostics_channel';
import type { HandshakeTrace } from '@node-aws-lc/core';
import { SpanKind, SpanStatusCode, type Span, type Tracer } from '@opentelemetry/api';

const channel = tracingChannel<unknown, HandshakeTrace>('aws-lc:handshake');

/** Traces every handshake from now on; the function returned ends that. */
export function traceTls(tracer: Tracer): () => void {
  const spans = new WeakMap<HandshakeTrace, Span>();
  const start = (handshake: unknown): void => {
    const trace = handshake as HandshakeTrace;
    const kind = trace.side === 'client' ? SpanKind.CLIENT : SpanKind.SERVER;
    // A child of whatever span is active here: of the request that needs the connection, say.
    spans.set(trace, tracer.startSpan(`TLS handshake (${trace.side})`, { kind }));
  };
  const end = (handshake: unknown): void => {
    const trace = handshake as HandshakeTrace;
    const span = spans.get(trace);
    if (span === undefined) return;
    span.setAttributes(attributesOf(trace));
    if (trace.error) {
      span.recordException(trace.error);
      span.setStatus({ code: SpanStatusCode.ERROR, message: trace.error.message });
    }
    span.end();
  };
  channel.start.subscribe(start);
  channel.asyncEnd.subscribe(end);
  return () => {
    channel.start.unsubscribe(start);
    channel.asyncEnd.unsubscribe(end);
  };
}

function attributesOf(
  trace: HandshakeTrace,
): Record<string, string | number | boolean | undefined> {
  const { error } = trace as { error?: NodeJS.ErrnoException };
  return {
    'network.peer.address': trace.remoteAddress,
    'network.peer.port': trace.remotePort,
    'tls.client.server_name': trace.serverName ?? undefined,
    'tls.established': error === undefined,
    'tls.protocol.name': 'tls',
    'tls.protocol.version': trace.protocol?.replace('TLSv', ''),
    'tls.cipher': trace.cipher,
    'tls.curve': trace.group,
    'tls.next_protocol': trace.alpn ?? undefined,
    'tls.resumed': trace.resumed,
    'aws_lc.ktls.tx': trace.ktls?.tx,
    'aws_lc.ktls.rx': trace.ktls?.rx,
    'error.type': error && (error.code ?? error.name),
  };
}
