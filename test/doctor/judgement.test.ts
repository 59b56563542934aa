/** From what is so on a host to a verdict and to advice, for hosts that this machine is not. */
import { constants } from 'node:os';
import t from 'tap';
import { adviceOn, findingsOf, type HostFacts, report, toText } from './internals.js';

const { ENOENT, EPERM, ENOPROTOOPT, EINVAL, EBUSY, EADDRNOTAVAIL } = constants.errno;

type Cipher = HostFacts['probe']['ciphers'][number];

const cipher = (name: Cipher['name'], errors: Partial<Cipher> = {}): Cipher => ({
  name,
  txError: 0,
  rxError: 0,
  rekeyError: 0,
  ...errors,
});

const ciphers = (errors: Partial<Cipher> = {}) => [
  cipher('AES-128-GCM', errors),
  cipher('AES-256-GCM', errors),
  cipher('CHACHA20-POLY1305', errors),
];

/** A host with everything, less what a test takes away. */
function host(changes: Partial<HostFacts> = {}): HostFacts {
  return {
    kernel: { release: '6.18.4', build: '#1 SMP', upstream: '6.18.4' },
    probe: { connectError: 0, attachError: 0, ciphers: ciphers() },
    module: { state: 'loaded', loadedAtBoot: true, loadingDisabled: false },
    availableUlps: ['tls'],
    statistics: { TlsDecryptError: 0 },
    place: { kind: 'host' },
    privileges: { netAdmin: true, sysModule: true, seccomp: false, confinement: undefined },
    crypto: { fips: false, aesInstructions: true, drivers: { 'AES-128-GCM': 'generic-gcm-aesni' } },
    ...changes,
  };
}

const refusing = (error: number, changes: Partial<HostFacts> = {}) =>
  host({
    probe: { connectError: 0, attachError: -error, ciphers: [] },
    statistics: undefined,
    module: { state: 'installed', loadedAtBoot: false, loadingDisabled: false },
    ...changes,
  });

const kernel = (release: string, upstream = release) => ({ release, upstream, build: '#1' });

/** The verdict, and all that is advised. */
function judged(facts: HostFacts): { verdict: string; keys: string[]; advice: string } {
  const { verdict, findings } = report(facts);
  const advice = findings.map((finding) => finding.advice).join('\n');
  return { verdict, keys: findings.map(({ key }) => key), advice };
}

t.test('a host with everything is told nothing', async (t) => {
  t.same(judged(host()), { verdict: 'kernel', keys: [], advice: '' });
});

t.test('a module that is not loaded is loaded where modules are loaded', async (t) => {
  const onHost = judged(refusing(ENOENT));
  t.match(onHost, { verdict: 'userspace', keys: ['module-missing'] });
  t.match(onHost.advice, /as root: modprobe tls;.*\/etc\/modules-load\.d\/tls\.conf/);
  t.notMatch(onHost.advice, /container|CAP_NET_ADMIN/);
  const inContainer = judged(refusing(ENOENT, { place: { kind: 'container' } }));
  t.match(inContainer.advice, /on the host, not in the image.*modprobe tls/);
  const inPod = judged(refusing(ENOENT, { place: { kind: 'kubernetes' } }));
  t.match(inPod.advice, /on every node.*DaemonSet.*securityContext/);
  const unprivileged = { ...host().privileges, netAdmin: false };
  t.match(judged(refusing(ENOENT, { privileges: unprivileged })).advice, /CAP_NET_ADMIN/);
  const untold = { ...host().privileges, netAdmin: null };
  t.notMatch(judged(refusing(ENOENT, { privileges: untold })).advice, /CAP_NET_ADMIN/);
});

t.test('a module that cannot be loaded', async (t) => {
  const absent = { state: 'absent', loadedAtBoot: false, loadingDisabled: false } as const;
  t.same(judged(refusing(ENOENT, { module: absent })).keys, ['kernel-without-tls']);
  const locked = { ...absent, state: 'installed', loadingDisabled: true } as const;
  t.same(judged(refusing(ENOENT, { module: locked })).keys, ['module-loading-disabled']);
});

t.test('a denied system call is blamed on who watches', async (t) => {
  const privileges = { ...host().privileges, seccomp: true, confinement: 'docker-default' };
  const { keys, advice } = judged(refusing(EPERM, { privileges }));
  t.same(keys, ['attach-denied']);
  t.match(advice, /EPERM.*a seccomp filter and the security profile docker-default.*setsockopt/);
});

t.test('what stands in for a kernel, and no loopback', async (t) => {
  t.match(judged(refusing(ENOPROTOOPT)), { keys: ['attach-unknown'], advice: /gVisor/ });
  const probe = { connectError: -EADDRNOTAVAIL, attachError: 0, ciphers: [] };
  t.match(judged(host({ probe })), { verdict: 'userspace', advice: /EADDRNOTAVAIL.*loopback/ });
  t.match(judged(refusing(EINVAL)), { keys: ['attach-failed'], advice: /EINVAL/ });
});

t.test('a cipher that is refused is named with its module or its kernel', async (t) => {
  const without = (errors: Partial<Cipher>) => ({
    connectError: 0,
    attachError: 0,
    ciphers: [...ciphers().slice(0, 2), cipher('CHACHA20-POLY1305', errors)],
  });
  const noModule = judged(host({ probe: without({ txError: -ENOENT, rxError: -ENOENT }) }));
  t.match(noModule, { verdict: 'part', keys: ['cipher-module'] });
  t.match(noModule.advice, /CHACHA20-POLY1305.*modprobe chacha20poly1305.*modprobe -a chacha/);
  const old = host({ probe: without({ txError: -EINVAL }), kernel: kernel('5.10.1') });
  t.match(judged(old).advice, /5\.10\.1 does not know CHACHA20-POLY1305 in TLS 1\.3: 5\.11 does/);
  const fips = host({
    probe: without({ txError: -ENOENT }),
    crypto: { ...host().crypto, fips: true },
  });
  t.same(judged(fips).keys, ['cipher-fips']);
  const oneWay = host({ probe: without({ rxError: -ENOPROTOOPT }) });
  t.equal(judged(oneWay).verdict, 'part');
});

t.test('a receive path with defects is not used, and what mends it is named', async (t) => {
  const debian = judged(host({ kernel: kernel('6.1.0-9-amd64', '6.1.27') }));
  t.match(debian, { verdict: 'part', keys: ['receive-path', 'no-rekey'] });
  t.match(debian.advice, /6\.1\.0-9-amd64 \(6\.1\.27\).*CVE-2025-39682.*CVE-2025-39946/);
  t.match(debian.advice, /6\.1\.154 mends.*ignoreKernelFloor: true/);
  const orphan = judged(host({ kernel: kernel('6.8.0-31-generic', '6.8.12') }));
  t.match(orphan.advice, /no release of its series mends them; 6\.1\.154/);
  const mended = judged(host({ kernel: kernel('6.1.0-56-amd64', '6.1.192') }));
  t.match(mended, { verdict: 'kernel', keys: ['no-rekey'] });
});

t.test('keys that cannot be changed are found out by trying', async (t) => {
  const probe = { ...host().probe, ciphers: ciphers({ rekeyError: -EBUSY }) };
  t.match(judged(host({ probe })), { verdict: 'kernel', keys: ['no-rekey'] });
});

t.test('slow ciphers, a module that goes, and counted errors are told', async (t) => {
  const driver = 'gcm_base(ctr(aes-generic),ghash-generic)';
  const facts = host({
    crypto: { ...host().crypto, drivers: { 'AES-128-GCM': driver } },
    module: { ...host().module, loadedAtBoot: false },
    statistics: { TlsDecryptError: 17, TlsRxRekeyError: 2 },
  });
  const { keys, advice, verdict } = judged(facts);
  t.equal(verdict, 'kernel');
  t.same(keys, ['cipher-in-software', 'module-not-kept', 'decrypt-errors', 'rekey-errors']);
  t.match(advice, 'aesni_intel ghash_clmulni_intel');
  t.match(advice, /could not decrypt 17 records/);
});

t.test('every finding has its words', async (t) => {
  for (const error of [ENOENT, EPERM, ENOPROTOOPT, EINVAL]) {
    for (const finding of findingsOf(refusing(error))) t.match(adviceOn(finding), /\w/);
  }
});

t.test('without /proc nothing is claimed that only /proc would tell', async (t) => {
  const text = toText(
    report(
      host({
        module: { state: 'unknown', loadedAtBoot: false, loadingDisabled: false },
        statistics: undefined,
        privileges: { netAdmin: null, sysModule: null, seccomp: false, confinement: undefined },
      }),
    ),
  );
  t.match(text, /running +no container; capabilities not told by \/proc\n/);
  t.match(text, /tls module +loaded; \/proc\/net\/tls_stat is not there\n/);
});

t.test('the text tells verdict, versions, ciphers and counters', async (t) => {
  const text = toText(report(host({ kernel: kernel('6.1.0-56-amd64', '6.1.192') })));
  t.match(text, /^The kernel encrypts and decrypts/);
  t.match(text, /AES-128-GCM +sending yes, receiving yes, by generic-gcm-aesni/);
  t.match(text, /0 decrypt errors/);
  t.match(text, /kernel +6\.1\.0-56-amd64, from Linux 6\.1\.192/);
  t.ok(
    text
      .split('\n')
      .filter((line) => line.startsWith('  -') || line.startsWith('    '))
      .every((line) => line.length <= 80),
    'advice is wrapped',
  );
});
