/** The module `os` of the program: what would ask the system, which a confined process must not, says nothing in particular. */
export function neutralOs(): object {
  const neutral = {
    hostname: () => 'localhost',
    homedir: () => '/',
    tmpdir: () => '/tmp',
    userInfo: () => ({ uid: 0, gid: 0, username: 'guest', homedir: '/', shell: null }),
    networkInterfaces: () => ({}),
    cpus: () => [],
    availableParallelism: () => 1,
    loadavg: () => [0, 0, 0],
    uptime: () => 0,
    freemem: () => 0,
    totalmem: () => 0,
    getPriority: () => 0,
  }
  return { ...process.getBuiltinModule('node:os'), ...neutral }
}
