import { library, program } from '../../tsup.base.ts'

export default [library({ entry: ['src/index.ts', 'src/otel/index.ts'] }), program('src/command/main.ts', 'dist/command')]
