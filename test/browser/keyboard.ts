import { expect } from '@jest/globals'
import type { Page } from 'playwright-core'

type Stop = Readonly<{ name: string; outline: number }>

/**
 * What has the focus, and how wide the line around it is in CSS pixels (a radio card shows it on
 * its label). Undefined where the focus is in the browser's own bars.
 */
const FOCUSED = `(() => {
  const each = document.activeElement
  if (each === document.body) return undefined
  const words = each.getAttribute('aria-label') ?? each.labels?.[0]?.textContent ?? each.textContent
  const outlines = [each, each.closest('label')]
    .filter(Boolean)
    .map((box) => getComputedStyle(box))
    .map(({ outlineStyle, outlineWidth }) => (outlineStyle === 'none' ? 0 : parseFloat(outlineWidth)))
  return { name: words.replace(/\\s+/g, ' ').trim(), outline: Math.max(...outlines) }
})()`

const MAX_STOPS = 60
const WIDE_ENOUGH_PX = 2

/** A member without a mouse. */
export interface Keyboard {
  /** Presses Tab until what starts with these words has the focus, which must be seen at each stop. */
  to(name: string): Promise<void>
  /** Goes to a field and types, over whatever stands there. */
  type(label: string, text: string): Promise<void>
  /** Goes to a button or a link, presses Enter, and waits for the page that follows. */
  press(name: string): Promise<void>
}

export const aKeyboard = (page: Page): Keyboard => {
  const to = async (name: string): Promise<void> => {
    const passed: string[] = []
    while (passed.length < MAX_STOPS) {
      await page.keyboard.press('Tab')
      const stop = await page.evaluate<Stop | undefined>(FOCUSED)
      if (stop) {
        expect({ ...stop, seen: stop.outline >= WIDE_ENOUGH_PX }).toEqual({ ...stop, seen: true })
        if (stop.name.startsWith(name)) return
      }
      passed.push(stop?.name ?? '')
    }
    throw new Error(`Tab never came to "${name}": ${passed.join(' | ')}`)
  }
  return {
    to,
    async type(label, text) {
      await to(label)
      await page.keyboard.press('ControlOrMeta+a')
      await page.keyboard.type(text)
    },
    async press(name) {
      await to(name)
      const loaded = page.waitForEvent('load')
      await page.keyboard.press('Enter')
      await loaded
    },
  }
}
