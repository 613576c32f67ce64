/** What the suites use of a Sandbox. That of confine-sandbox fits, and that of @confine-sandbox/core. */
export interface SandboxUnderTest {
  init(): Promise<void>
  teardown(): Promise<number>
  execContainer(opts: any): Promise<ContainerUnderTest>
  configContainer(config: { cid: number; opts?: any }): Promise<void>
  killContainer(container: { cid: number }): Promise<void>
  listContainers(): Promise<{ cid: number }[]>
  on(event: 'violation', listener: (violation: { syscall: string; path?: string }) => void): unknown
  on(event: 'container-closed', listener: (closed: { cid: number; exitCode?: number; error?: Error }) => void): unknown
  readonly whenGuestProcessClosed: Promise<number>
  readonly guestExitSignal: string
  readonly isolation: { readonly isLocked: boolean }
}

/** What the suites use of a container. */
export interface ContainerUnderTest {
  readonly cid: number
  call(name: string, params?: any[]): Promise<any>
}
