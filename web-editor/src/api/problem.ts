import type { components } from './generated/schema'

export type DocumentProblem = components['schemas']['DocumentProblem']
type Problem = components['schemas']['Problem']

/** A request that was not answered as asked: what the server said (RFC 9457), or that it could not be reached. */
export class ApiProblem extends Error {
  override name = 'ApiProblem'

  constructor(
    /** The HTTP status; 0 where no answer came. */
    readonly status: number,
    /** Stable, in snake case; `unreachable` where no answer came. */
    readonly code: string,
    detail: string,
    readonly remedy?: string,
    readonly problems: DocumentProblem[] = [],
  ) {
    super(detail)
  }

  /** Whether trying again may help without anybody changing anything. */
  get passing(): boolean {
    return this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500
  }

  static from(status: number, body: unknown): ApiProblem {
    const told = (typeof body === 'object' && body !== null ? body : {}) as Partial<Problem>
    return new ApiProblem(
      status,
      told.code ?? 'unexpected_answer',
      told.detail ?? `The server answered ${status}.`,
      told.remedy ?? undefined,
      told.problems ?? [],
    )
  }

  static unreachable(cause: unknown): ApiProblem {
    const problem = new ApiProblem(0, 'unreachable', 'The server cannot be reached.')
    problem.cause = cause
    return problem
  }
}

/** Whether it was given up on purpose, such as by leaving a page. */
export const isAbort = (error: unknown): boolean => error instanceof DOMException && error.name === 'AbortError'
