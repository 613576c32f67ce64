import { ConfineError, type IsolationBackend } from '@confine-sandbox/contract'
import { linux } from '@confine-sandbox/isolation-linux'
import { macos } from '@confine-sandbox/isolation-macos'

/**
 * The isolation backend of a platform.
 * @param platform As `process.platform` names it. @default this machine's
 * @throws ERR_CONFINE_ISOLATION_UNAVAILABLE where there is none.
 */
export function defaultIsolation(platform: NodeJS.Platform = process.platform): IsolationBackend {
  switch (platform) {
    case 'linux':
      return linux()
    case 'darwin':
      return macos()
    default:
      throw new ConfineError(
        'ERR_CONFINE_ISOLATION_UNAVAILABLE',
        `confine-sandbox has no isolation for ${platform}: it confines on linux and darwin. Run the host on one of them (on Windows in WSL 2, ` +
          'in a container or a virtual machine), hand in a backend of your own with the option isolation, or, for code that you trust, ' +
          'set noSandbox: true, which runs it with no isolation by the operating system at all',
      )
  }
}
