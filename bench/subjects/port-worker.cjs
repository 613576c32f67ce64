'use strict'
require('node:worker_threads').parentPort.once('message', (port) => {
  port.on('message', ({ id, params: [a, b] }) => port.postMessage({ id, result: a + b }))
})
