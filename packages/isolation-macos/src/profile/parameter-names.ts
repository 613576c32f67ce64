/** The names of the parameters, so that the rules and the values handed over beside them agree. */
export const parameterNames = {
  node: 'NODE',
  cwd: 'CWD',
  library: (index: number) => `LIBRARY_${index}`,
  read: (index: number) => `READ_${index}`,
  link: (index: number) => `LINK_${index}`,
  grantedRead: (index: number) => `GRANTED_READ_${index}`,
  grantedWrite: (index: number) => `GRANTED_WRITE_${index}`,
}
