export { type LocalCode, type Problem, SessionError } from './error'
export { createSession } from './session'
export type {
  Account,
  Channel,
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
