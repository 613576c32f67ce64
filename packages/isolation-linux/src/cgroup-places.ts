/** The directory of this process in one hierarchy of cgroups. */
export interface CgroupPlace {
  readonly version: 1 | 2
  /** Of version 1, the controller; of version 2, empty. */
  readonly controller: string
  readonly directory: string
}

/** The directories that matter, from /proc/self/cgroup and /proc/self/mountinfo. cgroups(7) */
export function cgroupPlaces(files: Readonly<Record<string, string>>): readonly CgroupPlace[] {
  const mounts = (files['/proc/self/mountinfo'] ?? '').split('\n').flatMap(parseMount)
  return (files['/proc/self/cgroup'] ?? '').split('\n').flatMap((line): readonly CgroupPlace[] => {
    const [, hierarchy, controllers, path] = line.match(/^(\d+):([^:]*):(\/.*)$/) ?? []
    if (path === undefined || controllers === undefined) return []
    const version = hierarchy === '0' && controllers === '' ? 2 : 1
    const names = controllers.split(',')
    const controller = names.find((name) => wantedControllers.includes(name)) ?? ''
    if (version === 1 && controller === '') return []
    const mount = mounts.find(({ type, options }) =>
      version === 2 ? type === 'cgroup2' : type === 'cgroup' && options.includes(controller),
    )
    return mount === undefined ? [] : [{ version, controller, directory: below(mount, path) }]
  })
}

/** The controllers that hold memory, processes and CPU. */
export const wantedControllers: readonly string[] = ['memory', 'pids', 'cpu']

interface Mount {
  readonly root: string
  readonly point: string
  readonly type: string
  readonly options: readonly string[]
}

/** proc_pid_mountinfo(5): 36 35 98:0 /root /point options optional... - type source super-options */
function parseMount(line: string): readonly Mount[] {
  const [before, after] = line.split(' - ')
  const [, , , root, point] = before?.split(' ') ?? []
  const [type, , options] = after?.split(' ') ?? []
  if (root === undefined || point === undefined || type === undefined) return []
  return [{ root: octal(root), point: octal(point), type, options: (options ?? '').split(',') }]
}

function octal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
}

/** Where a path of the hierarchy lies below a mount that may show only a part of it. */
function below({ root, point }: Mount, path: string): string {
  const isWithin = root === '/' || path === root || path.startsWith(`${root}/`)
  const rest = isWithin ? path.slice(root === '/' ? 0 : root.length) : ''
  return rest === '' || rest === '/' ? point : `${point}${rest}`
}
