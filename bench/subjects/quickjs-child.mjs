import { getQuickJS } from 'quickjs-emscripten'

const quickJs = await getQuickJS()
process.stdout.write(String(quickJs.evalCode('1 + 2')))
