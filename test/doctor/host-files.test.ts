/** What is read from a host's files: hosts of other kinds, as folders. */
import t from 'tap';
import {
  HostFiles,
  kernelCrypto,
  placeOf,
  privilegesOf,
  tlsModule,
  tlsStatistics,
} from './internals.js';

const nothing = () => new HostFiles(t.testdir({}));

t.test('containers are told by what their runtimes leave', async (t) => {
  const kind = (tree: object, env = {}) =>
    placeOf(new HostFiles(t.testdir(tree as Parameters<typeof t.testdir>[0])), env).kind;
  const group = (line: string) => ({ proc: { 1: { cgroup: `${line}\n` } } });
  t.equal(kind({ '.dockerenv': '' }), 'container');
  t.equal(kind({ run: { '.containerenv': '' } }), 'container');
  t.equal(kind({}, { container: 'lxc' }), 'container');
  t.equal(kind(group('0::/system.slice/docker-0123.scope')), 'container');
  t.equal(kind(group('12:pids:/kubepods/besteffort/pod1/2')), 'kubernetes');
  t.equal(kind({ '.dockerenv': '' }, { KUBERNETES_SERVICE_HOST: '10.0.0.1' }), 'kubernetes');
  t.equal(kind(group('0::/init.scope')), 'host');
  t.equal(kind({}), 'host');
});

t.test('the module is found loaded, built in, installed, absent or not to be told', async (t) => {
  const release = '6.1.0-56-amd64';
  const installed = (files: object) => ({ lib: { modules: { [release]: files } } });
  const state = (tree: object) =>
    tlsModule(new HostFiles(t.testdir(tree as Parameters<typeof t.testdir>[0])), release).state;
  t.equal(state({ proc: { modules: 'tls 114688 3 - Live 0x0\ngcm 1 1 tls\n' } }), 'loaded');
  t.equal(state({ proc: { modules: 'tls_fake 1 0 - Live 0x0\n' } }), 'unknown');
  t.equal(state(installed({ 'modules.builtin': 'kernel/net/tls/tls.ko\n' })), 'built in');
  t.equal(state(installed({ 'modules.dep': 'kernel/net/tls/tls.ko.zst:\n' })), 'installed');
  t.equal(state(installed({ 'modules.dep': 'kernel/net/ipv6/ipv6.ko:\n' })), 'absent');
});

t.test('what keeps the module, and what keeps it out', async (t) => {
  const files = new HostFiles(
    t.testdir({
      etc: { 'modules-load.d': { 'tls.conf': '# for Node\ntls\n', 'other.txt': 'x' } },
      proc: { sys: { kernel: { modules_disabled: '1\n' } } },
    }),
  );
  t.match(tlsModule(files, '6.1.0'), { loadedAtBoot: true, loadingDisabled: true });
  t.match(tlsModule(nothing(), '6.1.0'), { loadedAtBoot: false, loadingDisabled: false });
  const old = new HostFiles(t.testdir({ etc: { modules: 'loop\ntls\n' } }));
  t.equal(tlsModule(old, '6.1.0').loadedAtBoot, true);
});

t.test('privileges and watchers of the process', async (t) => {
  const own = (status: string, label?: string) =>
    privilegesOf(
      new HostFiles(
        t.testdir({
          proc: { self: { status, attr: label === undefined ? {} : { current: label } } },
        }),
      ),
    );
  t.same(own('CapEff:\t00000000a80425fb\nSeccomp:\t2\n', 'docker-default (enforce)\n'), {
    netAdmin: false,
    sysModule: false,
    seccomp: true,
    confinement: 'docker-default (enforce)',
  });
  t.match(own('CapEff:\t000001ffffffffff\nSeccomp:\t0\n', 'unconfined\n'), {
    netAdmin: true,
    sysModule: true,
    seccomp: false,
    confinement: undefined,
  });
  t.match(privilegesOf(nothing()), { netAdmin: null, sysModule: null });
});

t.test('the cipher that the kernel uses is the one of the highest priority', async (t) => {
  const entry = (driver: string, priority: number, internal = 'no') =>
    `name         : gcm(aes)\ndriver       : ${driver}\nmodule       : x\npriority     : ${priority}\ninternal     : ${internal}\ntype         : aead\n`;
  const crypto = [
    entry('gcm_base(ctr(aes-generic),ghash-generic)', 100),
    entry('generic-gcm-aesni', 400),
    entry('__generic-gcm-aesni', 900, 'yes'),
  ].join('\n');
  const files = new HostFiles(
    t.testdir({
      proc: {
        crypto,
        cpuinfo: 'flags\t\t: fpu aes avx\n',
        sys: { crypto: { fips_enabled: '1\n' } },
      },
    }),
  );
  t.same(kernelCrypto(files), {
    fips: true,
    aesInstructions: true,
    drivers: { 'AES-128-GCM': 'generic-gcm-aesni', 'AES-256-GCM': 'generic-gcm-aesni' },
  });
  t.same(kernelCrypto(nothing()), { fips: false, aesInstructions: false, drivers: {} });
});

t.test('counters, and none', async (t) => {
  const tls_stat = 'TlsCurrTxSw                     \t2\nTlsDecryptError                 \t17\n';
  const files = new HostFiles(t.testdir({ proc: { net: { tls_stat } } }));
  t.same(tlsStatistics(files), { TlsCurrTxSw: 2, TlsDecryptError: 17 });
  t.equal(tlsStatistics(nothing()), undefined);
});
