import type { RequestListener } from 'node:http'

/** An application that can be replaced by another while it serves. */
export type Replaceable<App> = Readonly<{
  /** The one that serves now. */
  current(): App
  /** For a server: each request is all one application's, the one there was when it came in. */
  listener: RequestListener
  /** Makes another, which takes all requests from now on. @throws what `make` throws: then the one
   * there was goes on */
  replace(): void
}>

/** For an application that keeps nothing between two requests. */
export const replaceable = <App extends Readonly<{ callback(): RequestListener }>>(
  make: () => App,
): Replaceable<App> => {
  const started = () => {
    const app = make()
    return { app, listener: app.callback() }
  }
  let serving = started()
  return {
    current: () => serving.app,
    listener: (request, response) => serving.listener(request, response),
    replace: () => {
      serving = started()
    },
  }
}
