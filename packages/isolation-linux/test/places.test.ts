import { expect, test } from 'vitest'
import { placesOf } from '../src/places.ts'

const objects = { loader: '/lib/ld.so', libraries: ['/lib/libc.so'], files: ['/usr/lib/libc.so', '/usr/lib/ld.so'] }
const places = (bootRead: string[], read: string[], write: string[]) =>
  placesOf(['/opt/node', '/lib/ld.so'], objects, { bootRead, read, write }).map((place) => place.join(' '))

test('each path has its option, a directory before what is below it', () => {
  expect(places(['/app', '/app/inner'], ['/data', '/data/x/y'], ['/data/x', '/out-1', '/out'])).toEqual([
    '--bind /app',
    '--read /data',
    '--write /data/x',
    '--read /data/x/y',
    '--bind-exec /lib/ld.so',
    '--bind /lib/libc.so',
    '--bind-exec /opt/node',
    '--write /out',
    '--write /out-1',
  ])
})

test('what node boots from stays as it is within a grant to read, and needs none', () => {
  expect(places(['/srv/app'], ['/srv', '/srv/app/data', '/lib/libc.so'], [])).toEqual([
    '--bind-exec /lib/ld.so',
    '--bind /lib/libc.so',
    '--bind-exec /opt/node',
    '--read /srv',
    '--bind /srv/app',
  ])
})

test.each(['/opt', '/opt/node', '/lib', '/usr', '/usr/lib/libc.so', '/srv', '/srv/app'])('%s is not to be written', (path) => {
  expect(() => places(['/srv/app'], [], [path])).toThrow(expect.objectContaining({ code: 'ERR_CONFINE_BAD_OPTION' }))
})

test('a directory within the runtime may be', () => {
  expect(places(['/srv/app'], [], ['/srv/app/out'])).toContain('--write /srv/app/out')
})
