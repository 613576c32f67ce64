// A hostile program: it tries to read a file of the host.
module.exports.steal = () => require('node:fs').readFileSync('/etc/passwd', 'utf8')
