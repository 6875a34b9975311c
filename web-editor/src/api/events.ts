import { ApiProblem, isAbort } from './problem'
import { sessionFetch } from './session'

/** One server-sent event. */
export interface StreamEvent {
  event: string
  id?: string
  data: string
}

/** Splits a stream into events. Keeps what has not been ended by an empty line yet. */
export class EventParser {
  private rest = ''

  push(chunk: string): StreamEvent[] {
    this.rest += chunk.replaceAll('\r\n', '\n')
    const blocks = this.rest.split('\n\n')
    this.rest = blocks.pop() ?? ''
    return blocks.flatMap((block) => {
      const told: StreamEvent = { event: 'message', data: '' }
      const data: string[] = []
      for (const line of block.split('\n')) {
        const colon = line.indexOf(':')
        if (colon <= 0) continue
        const value = line.slice(colon + 1).replace(/^ /, '')
        const field = line.slice(0, colon)
        if (field === 'event') told.event = value
        else if (field === 'id') told.id = value
        else if (field === 'data') data.push(value)
      }
      return data.length ? [{ ...told, data: data.join('\n') }] : []
    })
  }
}

export interface Watch {
  /** Ends the watching. */
  stop(): void
}

interface WatchOptions {
  onEvent(event: StreamEvent): void
  /** Whether the stream is there; it is taken up again by itself. Why it is not, where that was said. */
  onState?(state: 'open' | 'waiting', why?: ApiProblem): void
  /** The stream was refused for good. */
  onProblem?(problem: ApiProblem): void
  /** Refusals that pass by themselves, beside those of which that is known. */
  passes?(problem: ApiProblem): boolean
}

const longestPause = 10_000

/**
 * Watches a stream, and takes it up after the last event that was seen whenever it breaks. `EventSource` cannot be used: it sends
 * no token. An event named `end` ends the watching.
 */
export function watch(path: string, options: WatchOptions): Watch {
  const stopping = new AbortController()
  let last: string | undefined
  let pause = 250

  const once = async (): Promise<'ended' | 'broken'> => {
    const headers = new Headers({ accept: 'text/event-stream' })
    if (last !== undefined) headers.set('last-event-id', last)
    const answer = await sessionFetch(new Request(new URL(path, location.origin), { headers, signal: stopping.signal }))
    if (!answer.ok || !answer.body) throw ApiProblem.from(answer.status, await answer.json().catch(() => null))
    options.onState?.('open')
    pause = 250
    const parser = new EventParser()
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader()
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return 'broken'
      for (const event of parser.push(value)) {
        if (event.id !== undefined) last = event.id
        options.onEvent(event)
        if (event.event === 'end') return 'ended'
      }
    }
  }

  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      let why: ApiProblem | undefined
      try {
        if ((await once()) === 'ended') return
      } catch (error) {
        if (isAbort(error) || stopping.signal.aborted) return
        if (error instanceof ApiProblem) why = error
        if (why && !why.passing && !options.passes?.(why)) {
          options.onProblem?.(why)
          return
        }
      }
      options.onState?.('waiting', why)
      await new Promise((done) => setTimeout(done, pause))
      pause = Math.min(pause * 2, longestPause)
    }
  }
  void run()
  return { stop: () => stopping.abort() }
}
