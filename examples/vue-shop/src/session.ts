import { createSession } from '@munjigi/client'
import { settings } from './settings'
import { shown } from './show/shown'

/** The one session of this page, and of all its tabs. */
export const session = createSession({
  url: settings.munjigi,
  app: settings.app,
  realm: 'members',
  origins: Object.values(settings.services), // tokens go there and nowhere else
  ...shown, // so that you can watch: it counts the calls, and can put the clock forward. Leave it out.
})
