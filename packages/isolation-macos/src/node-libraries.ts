/**
 * Directories that the node of a package manager needs beside its binary: the libraries that it is linked with, the links
 * by which it names them, and its OpenSSL's configuration. All are program files that every user of the machine can read.
 * The node of nodejs.org, nvm, fnm, volta and npm is linked with the system alone and needs none.
 */
export function librariesOf(node: string): readonly string[] {
  return managers.find(({ home }) => node.startsWith(`${home}/`))?.directories ?? []
}

const managers: readonly { readonly home: string; readonly directories: readonly string[] }[] = [
  // Homebrew on Apple silicon and on Intel: Gitlawb/zero#296 ran such a node with these.
  ...['/opt/homebrew', '/usr/local'].map((prefix) => ({
    home: `${prefix}/Cellar`,
    directories: [`${prefix}/Cellar`, `${prefix}/opt`, `${prefix}/lib`, `${prefix}/etc/openssl@3`],
  })),
  // MacPorts and Nix: after their documented layout; no report of a run was found.
  { home: '/opt/local', directories: ['/opt/local/lib', '/opt/local/libexec', '/opt/local/etc/openssl'] },
  { home: '/nix/store', directories: ['/nix/store'] },
]
