import { parentPort } from 'node:worker_threads'
import { expose } from 'comlink'
import nodeEndpoint from 'comlink/dist/umd/node-adapter.js'

expose({ add: (a, b) => a + b }, (nodeEndpoint.default ?? nodeEndpoint)(parentPort))
