export { type Held, type LocalCode, type Problem, SessionError } from './error'
export { createSession } from './session'
export type {
  Account,
  Config,
  End,
  Events,
  Job,
  Live,
  RenewOptions,
  Session,
  SessionInit,
  SignIn,
  State,
  Status,
} from './types'
