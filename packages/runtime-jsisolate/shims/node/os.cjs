const none = () => []

// Nothing of the machine.
module.exports = {
  EOL: '\n',
  arch: () => 'x64',
  availableParallelism: () => 1,
  constants: { signals: {}, errno: {}, priority: {} },
  cpus: none,
  devNull: '/dev/null',
  endianness: () => 'LE',
  freemem: () => 0,
  getPriority: () => 0,
  homedir: () => '/',
  hostname: () => 'localhost',
  loadavg: () => [0, 0, 0],
  machine: () => 'x86_64',
  networkInterfaces: () => ({}),
  platform: () => 'linux',
  release: () => '0.0.0',
  tmpdir: () => '/tmp',
  totalmem: () => 0,
  type: () => 'Linux',
  uptime: () => 0,
  userInfo: () => ({ uid: 0, gid: 0, username: 'guest', homedir: '/', shell: null }),
  version: () => '',
}
