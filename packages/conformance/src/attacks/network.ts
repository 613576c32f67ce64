import type { Attack } from '../attack.ts'

export const networkAttacks: readonly Attack[] = [
  {
    id: 'connect-loopback',
    act: 'connect to a port of the host',
    part: 'network',
    source: `exports.attempt = ({ port }) => new Promise((resolve, reject) => {
      const socket = require('node:net').connect(port, '127.0.0.1', () => { socket.destroy(); resolve('connected') })
      socket.on('error', reject)
    })`,
  },
  {
    id: 'connect-unix-socket',
    act: 'connect to a unix socket of the host',
    part: 'network',
    source: `exports.attempt = ({ unixSocket }) => new Promise((resolve, reject) => {
      const socket = require('node:net').connect(unixSocket, () => { socket.destroy(); resolve('connected') })
      socket.on('error', reject)
    })`,
  },
  {
    // 192.0.2.1 is reserved for documentation (RFC 5737). Without a network the kernel says that it cannot be reached:
    // the call was made.
    id: 'connect-outside',
    act: 'connect to an address outside',
    part: 'network',
    isAimedOutside: true,
    source: `exports.attempt = () => new Promise((resolve, reject) => {
      const socket = require('node:net').connect(80, '192.0.2.1')
      socket.on('error', (error) => error.code === 'ENETUNREACH' ? resolve('tried') : reject(error))
    })`,
  },
  {
    id: 'fetch',
    act: 'fetch from a port of the host',
    part: 'network',
    source: `exports.attempt = async ({ port }) => {
      try { return await (await fetch('http://127.0.0.1:' + port)).text() } catch (error) {
        // What listens there speaks no HTTP and hangs up: the connection was made.
        if (error.cause?.code === 'UND_ERR_SOCKET') return 'connected'
        throw error
      }
    }`,
  },
  {
    id: 'resolve-name',
    act: 'look up a name',
    part: 'network',
    source: `exports.attempt = async () => (await require('node:dns').promises.lookup('localhost')).address`,
  },
  {
    id: 'query-name-server',
    act: 'ask a name server on the host',
    part: 'network',
    source: `exports.attempt = async ({ nameServerPort }) => {
      const resolver = new (require('node:dns').promises.Resolver)({ timeout: 500, tries: 1 })
      resolver.setServers(['127.0.0.1:' + nameServerPort])
      try { return await resolver.resolve4('name.test') } catch (error) {
        if (error.code === 'ENOTFOUND') return 'answered'
        throw error
      }
    }`,
  },
  {
    id: 'bind-port',
    act: 'listen on a port',
    part: 'network',
    source: `exports.attempt = () => new Promise((resolve, reject) => {
      const server = require('node:net').createServer().listen(0, '127.0.0.1', () => { server.close(); resolve('listening') })
      server.on('error', reject)
    })`,
  },
  {
    id: 'bind-unix-socket',
    act: 'listen on a unix socket',
    part: 'network',
    source: `exports.attempt = ({ directory }) => new Promise((resolve, reject) => {
      const server = require('node:net').createServer().listen(directory + '/own.sock', () => { server.close(); resolve('listening') })
      server.on('error', reject)
    })`,
  },
  {
    id: 'bind-udp',
    act: 'open a UDP socket',
    part: 'network',
    source: `exports.attempt = () => new Promise((resolve, reject) => {
      const socket = require('node:dgram').createSocket('udp4')
      socket.on('error', reject)
      socket.bind(0, '127.0.0.1', () => { socket.close(); resolve('bound') })
    })`,
  },
]
