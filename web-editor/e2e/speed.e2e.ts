import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { resting, stage, type Stage } from './browser'

const count = 500
let on: Stage
beforeAll(async () => {
  on = await stage()
  const at = (index: number): [number, number] => [Math.floor(index / 25) * 280, (index % 25) * 110]
  const nodes = Array.from({ length: count }, (_, index) => `  n${index}: { uses: log@1${index < 25 ? '' : `, needs: [n${index - 25}]`}, with: { message: "${index}" } }`)
  const places = Array.from({ length: count }, (_, index) => `  n${index}: [${at(index).join(', ')}]`)
  const made = await on.server.api('POST', '/workflows', `windflow: 1\nname: large\nnodes:\n${nodes.join('\n')}\nlayout:\n${places.join('\n')}\n`, 'application/yaml')
  expect(made.status).toBe(201)
})
afterAll(() => on?.close())

const percentile = (values: number[], part: number): number => [...values].sort((a, b) => a - b)[Math.floor(values.length * part)] ?? Infinity

describe(`a canvas of ${count} nodes`, () => {
  it('follows the hand: near, and from so far that all of it is seen', async () => {
    const page = await on.open({ at: '/workflows/large' })
    // So large a drawing opens where it begins: at the middle of the first nodes.
    await page.locator('.vue-flow__node[data-id="n12"]').waitFor()
    await resting(page)
    const pan = async (what: string) => {
      await page.evaluate(() => {
        const frames: number[] = []
        let last = performance.now()
        const note = (now: number) => {
          frames.push(now - last)
          last = now
          if (!('framesDone' in window)) requestAnimationFrame(note)
        }
        requestAnimationFrame(note)
        Object.assign(window, { frames })
      })
      await page.mouse.move(900, 760)
      await page.mouse.down()
      for (let step = 1; step <= 60; step++) await page.mouse.move(900 - step * 10, 760 - (step % 20) * 8)
      await page.mouse.up()
      const frames = await page.evaluate(() => {
        const { frames: all } = window as unknown as { frames: number[] }
        Object.assign(window, { framesDone: true })
        return all.slice(1)
      })
      await page.evaluate(() => delete (window as { framesDone?: boolean }).framesDone)
      const [middle, late] = [percentile(frames, 0.5), percentile(frames, 0.95)]
      console.log(`${count} nodes, panned ${what}: ${frames.length} frames, median ${middle.toFixed(1)} ms, p95 ${late.toFixed(1)} ms`)
      return { middle, late }
    }
    // Drawn without a graphics card, beside whatever else this machine does: bounds for mistakes, not for pride.
    const near = await pan('near')
    expect(near.middle).toBeLessThan(50)
    expect(near.late).toBeLessThan(200)
    await page.keyboard.press('1')
    await page.locator('.canvas.far').waitFor()
    await resting(page)
    const far = await pan('from afar')
    expect(far.middle).toBeLessThan(100)
    expect(far.late).toBeLessThan(400)
  })
})
