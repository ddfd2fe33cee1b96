import { expect, test } from 'vitest'
import { turnsOf } from '../../src/backoffice/turns'

test('no more run at once than may, in their order, and a failure gives its turn on', async () => {
  const turn = turnsOf(2)
  const begun: number[] = []
  const ends: ((fails: boolean) => void)[] = []
  const all = [0, 1, 2, 3].map((n) =>
    turn(
      () =>
        new Promise<number>((resolve, reject) => {
          begun.push(n)
          ends[n] = (fails) => (fails ? reject(new Error('broken')) : resolve(n))
        }),
    ).catch(() => -1),
  )
  const soon = () => new Promise((resolve) => setTimeout(resolve))
  await soon()
  expect(begun).toEqual([0, 1])
  ends[1]?.(true)
  await soon()
  expect(begun).toEqual([0, 1, 2])
  ends[0]?.(false)
  ends[2]?.(false)
  await soon()
  ends[3]?.(false)
  expect(await Promise.all(all)).toEqual([0, -1, 2, 3])
})
