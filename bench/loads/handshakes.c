// Makes TLS 1.3 handshakes one after another on a number of threads, and reports how many
// and how long they took. Written against AWS-LC's own libssl, so that it needs less CPU than the
// server it loads.
//
// One unit of work: TCP connect, handshake, one byte from the server, close_notify both ways. The
// byte makes the server finish its side and send its session tickets before the clock stops; a
// client that hangs up on its own Finished would measure an abort.
//
// "resume" takes the ticket of each connection into the thread's next one. RATE is in handshakes a
// second over all threads, 0 for as many as there can be.
//
//   handshakes PORT THREADS RATE WARM_UP_MS DURATION_MS full|resume|plain [SUITE GROUP]
//
// Prints "start" and "stop" at the borders of the measured phase, then one line of JSON.

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#ifndef OPENSSL_IS_AWSLC
#error "compile against AWS-LC's headers"
#endif

enum phase { WARM_UP, MEASURE, OVER };

static _Atomic int phase = WARM_UP;
static atomic_ulong tickets;
static SSL_CTX *ctx;  // NULL in plain mode
static const char *suite;
static const char *group;
static struct sockaddr_in server;
static int resume;
static unsigned long rate;  // 0: no limit
static atomic_ulong started;
static uint64_t begun;

struct worker {
  pthread_t thread;
  uint32_t *micros;
  size_t count;
  size_t capacity;
  SSL_SESSION *session;  // to resume from; NULL before the first ticket
};

static void die(const char *what) {
  fprintf(stderr, "handshakes: %s: %s\n", what, strerror(errno));
  ERR_print_errors_fp(stderr);
  exit(1);
}

static void refuse(const char *what, const char *got, const char *expected) {
  fprintf(stderr, "handshakes: negotiated %s %s, expected %s\n", what, got, expected);
  exit(1);
}

static uint64_t now_micros(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void sleep_millis(long millis) {
  struct timespec left = {millis / 1000, millis % 1000 * 1000000};
  while (nanosleep(&left, &left) != 0) {
  }
}

static int count_ticket(SSL *ssl, SSL_SESSION *session) {
  if (phase == MEASURE) tickets++;
  if (!resume) return 0;  // not kept: every handshake is a full one
  struct worker *worker = SSL_get_app_data(ssl);
  SSL_SESSION_free(worker->session);
  worker->session = session;
  return 1;
}

static void check_negotiated(const SSL *ssl, int offered) {
  if (SSL_session_reused(ssl) && !offered) refuse("a", "resumed session", "a full handshake");
  if (!SSL_session_reused(ssl) && offered) refuse("a", "full handshake", "a resumed session");
  if (SSL_version(ssl) != TLS1_3_VERSION) refuse("version", SSL_get_version(ssl), "TLSv1.3");
  const char *cipher = SSL_CIPHER_standard_name(SSL_get_current_cipher(ssl));
  if (strcmp(cipher, suite) != 0) refuse("suite", cipher, suite);
  const char *curve = SSL_get_curve_name(SSL_get_curve_id(ssl));
  if (strcmp(curve, group) != 0) refuse("group", curve, group);
}

// Reads the server's one byte and its end; returns the time at which the byte was there.
static uint64_t read_to_end(int fd, SSL *ssl) {
  char byte[16];
  uint64_t answered = 0;
  for (;;) {
    ssize_t n = ssl ? SSL_read(ssl, byte, sizeof byte) : read(fd, byte, sizeof byte);
    if (n == 0) break;
    if (n < 0 && ssl && SSL_get_error(ssl, (int)n) == SSL_ERROR_ZERO_RETURN) break;
    if (n < 0) die("read");
    if (!answered) answered = now_micros();
  }
  if (!answered) die("the server closed without its byte");
  return answered;
}

static uint32_t one_connection(struct worker *worker) {
  uint64_t begin = now_micros();
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (fd < 0) die("socket");
  int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (connect(fd, (struct sockaddr *)&server, sizeof server) != 0) die("connect");

  SSL *ssl = NULL;
  if (ctx) {
    ssl = SSL_new(ctx);
    if (!ssl || !SSL_set_fd(ssl, fd)) die("SSL_new");
    SSL_set_app_data(ssl, worker);
    int offered = worker->session != NULL;
    if (offered && !SSL_set_session(ssl, worker->session)) die("SSL_set_session");
    if (SSL_connect(ssl) != 1) die("SSL_connect");
    check_negotiated(ssl, offered);
  }
  uint64_t answered = read_to_end(fd, ssl);
  if (ssl) {
    SSL_shutdown(ssl);
    SSL_free(ssl);
  }
  close(fd);
  return (uint32_t)(answered - begin);
}

static void record(struct worker *worker, uint32_t micros) {
  if (worker->count == worker->capacity) {
    worker->capacity = worker->capacity ? worker->capacity * 2 : 4096;
    worker->micros = realloc(worker->micros, worker->capacity * sizeof *worker->micros);
    if (!worker->micros) die("realloc");
  }
  worker->micros[worker->count++] = micros;
}

// The turns are fixed in time, whichever thread takes one: a server that falls behind is not spared.
static void wait_for_turn(void) {
  uint64_t turn = begun + started++ * 1000000 / rate;
  uint64_t now = now_micros();
  if (turn <= now) return;
  struct timespec left = {(time_t)((turn - now) / 1000000), (long)((turn - now) % 1000000) * 1000};
  nanosleep(&left, NULL);
}

static void *work(void *argument) {
  struct worker *worker = argument;
  while (phase != OVER) {
    if (rate) wait_for_turn();
    uint32_t micros = one_connection(worker);
    if (phase == MEASURE) record(worker, micros);
  }
  return NULL;
}

static int ascending(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return (x > y) - (x < y);
}

static void report(struct worker *workers, int threads, double seconds) {
  size_t total = 0;
  for (int i = 0; i < threads; i++) total += workers[i].count;
  if (total == 0) {
    fprintf(stderr, "handshakes: no connection finished in the measured phase\n");
    exit(1);
  }
  uint32_t *all = malloc(total * sizeof *all);
  if (!all) die("malloc");
  size_t n = 0;
  for (int i = 0; i < threads; i++) {
    memcpy(all + n, workers[i].micros, workers[i].count * sizeof *all);
    n += workers[i].count;
  }
  qsort(all, total, sizeof *all, ascending);
  printf(
      "{\"units\":%zu,\"seconds\":%.6f,\"tickets\":%lu,"
      "\"p50\":%u,\"p90\":%u,\"p99\":%u,\"max\":%u}\n",
      total, seconds, (unsigned long)tickets, all[total / 2], all[total * 9 / 10],
      all[total * 99 / 100], all[total - 1]);
}

static SSL_CTX *new_context(void) {
  SSL_CTX *created = SSL_CTX_new(TLS_client_method());
  if (!created || !SSL_CTX_set_min_proto_version(created, TLS1_3_VERSION) ||
      !SSL_CTX_set_ciphersuites(created, suite) || !SSL_CTX_set1_groups_list(created, group)) {
    die("SSL_CTX");
  }
  SSL_CTX_set_session_cache_mode(created, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(created, count_ticket);
  return created;
}

int main(int argc, char **argv) {
  resume = argc == 9 && strcmp(argv[6], "resume") == 0;
  int tls = resume || (argc == 9 && strcmp(argv[6], "full") == 0);
  int plain = argc == 7 && strcmp(argv[6], "plain") == 0;
  if (!tls && !plain) {
    fprintf(stderr, "usage: %s PORT THREADS RATE WARM_UP_MS DURATION_MS full|resume|plain [SUITE GROUP]\n",
            argv[0]);
    return 2;
  }
  setvbuf(stdout, NULL, _IOLBF, 0);
  server.sin_family = AF_INET;
  server.sin_port = htons((uint16_t)atoi(argv[1]));
  server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int threads = atoi(argv[2]);
  if (tls) {
    suite = argv[7];
    group = argv[8];
    ctx = new_context();
  }

  rate = strtoul(argv[3], NULL, 10);
  begun = now_micros();

  struct worker *workers = calloc((size_t)threads, sizeof *workers);
  for (int i = 0; i < threads; i++) {
    if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0) die("pthread_create");
  }
  sleep_millis(atol(argv[4]));
  puts("start");
  uint64_t begin = now_micros();
  phase = MEASURE;
  sleep_millis(atol(argv[5]));
  phase = OVER;
  uint64_t end = now_micros();
  puts("stop");
  for (int i = 0; i < threads; i++) pthread_join(workers[i].thread, NULL);
  report(workers, threads, (double)(end - begin) / 1e6);
  return 0;
}
