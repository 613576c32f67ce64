import { expect, test } from 'vitest'
import { readAttempts } from '../../src/probe/attempts.ts'

test('a line becomes an attempt, its errno a name', () => {
  const lines =
    '{"check":"landlock","world":"host","state":"works","step":"","error":0,"value":7}\n' +
    '{"check":"landlock","world":"host","state":"failed","step":"version","error":95,"value":0}\n' +
    '{"check":"pid-namespace","world":"root","state":"failed","step":"clone","error":1,"value":0}\n'
  expect(readAttempts(lines)).toEqual([
    { check: 'landlock', world: 'host', state: 'works', step: '', error: '', value: 7 },
    { check: 'landlock', world: 'host', state: 'failed', step: 'version', error: 'EOPNOTSUPP', value: 0 },
    { check: 'pid-namespace', world: 'root', state: 'failed', step: 'clone', error: 'EPERM', value: 0 },
  ])
})

test.each([
  '',
  'no JSON',
  'null',
  '[]',
  '{"check":"landlock","world":"host","state":"wor',
  '{"check":1,"world":"host","state":"works","step":"","error":0,"value":0}',
  '{"check":"landlock","world":"moon","state":"works","step":"","error":0,"value":0}',
  '{"check":"landlock","world":"host","state":"great","step":"","error":0,"value":0}',
  '{"check":"landlock","world":"host","state":"failed","step":"version","error":-1,"value":0}',
  '{"check":"landlock","world":"host","state":"failed","step":"version","error":"EPERM","value":0}',
])('a line that is not as it should be is passed over: %s', (line) => {
  expect(readAttempts(`${line}\n`)).toEqual([])
})
