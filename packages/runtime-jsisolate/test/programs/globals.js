async function start() {
  console.log('hello world!')
  console.error('hello', 'error!', 100)
  shallow()
  very.deeply.nested.one()
}

void start()
