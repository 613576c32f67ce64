// The child of child_process.fork: says that it is there, then answers calls.
'use strict'
const functions = { add: (a, b) => a + b, size: (bytes) => bytes.length }
let waiting

process.on('message', (message) => {
  if ('answer' in message) waiting(message.answer)
  else if (message.name === 'callBack') void callBack(message.id, message.times)
  else process.send({ id: message.id, result: functions[message.name](...message.params) })
})
process.send({ ready: true })

/** Calls the parent's add that many times, one after another. */
async function callBack(id, times) {
  for (let i = 0; i < times; i++) {
    await new Promise((resolve) => {
      waiting = resolve
      process.send({ call: 'add', params: [i, 1] })
    })
  }
  process.send({ id, result: times })
}
