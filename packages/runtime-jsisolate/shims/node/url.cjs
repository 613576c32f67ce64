const { system } = require('confine:system')
const legacy = require('url/')

module.exports = {
  ...legacy,
  URL,
  URLSearchParams,
  domainToASCII: (domain) => system('domain', String(domain), 'ascii'),
  domainToUnicode: (domain) => system('domain', String(domain), 'unicode'),
  fileURLToPath(url) {
    const { protocol, host, pathname } = typeof url === 'string' ? new URL(url) : url
    if (protocol !== 'file:') throw failed('The URL must be of scheme file', 'ERR_INVALID_URL_SCHEME')
    if (host !== '') throw failed('File URL host must be "localhost" or empty', 'ERR_INVALID_FILE_URL_HOST')
    if (/%2f/i.test(pathname)) throw failed('File URL path must not include encoded / characters', 'ERR_INVALID_FILE_URL_PATH')
    return decodeURIComponent(pathname)
  },
  pathToFileURL(path) {
    const url = new URL('file:///')
    url.pathname = require('node:path')
      .resolve(String(path))
      .replace(/[%\\\n\r\t]/g, (character) => `%${character.charCodeAt(0).toString(16).padStart(2, '0').toUpperCase()}`)
    return url
  },
  urlToHttpOptions({ protocol, hostname, hash, search, pathname, href, port, username, password }) {
    const options = { protocol, hostname: hostname.replace(/^\[(.*)\]$/, '$1'), hash, search, pathname, path: `${pathname}${search}`, href }
    if (port !== '') options.port = Number(port)
    if (username !== '' || password !== '') options.auth = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
    return options
  },
}

function failed(message, code) {
  return Object.assign(new TypeError(message), { code })
}
