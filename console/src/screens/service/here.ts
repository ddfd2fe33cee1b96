import { useQueryClient } from '@tanstack/vue-query'
import { type ComputedRef, computed, type InjectionKey, inject, provide } from 'vue'
import { useI18n } from 'vue-i18n'
import { type WhyNot, whyNot } from '../../backoffice/allowed'
import { fieldOf, operationOf, resourceOf, textOf, type Words } from '../../backoffice/show'
import type { Operation, Resource, Row, Screens } from '../../backoffice/types'

/** The service that a screen is about. */
export interface Here {
  name: ComputedRef<string>
  screens: ComputedRef<Screens>
  base: ComputedRef<string>
  words: ComputedRef<Words>
  operation: (id: string | undefined) => Operation | undefined
  resource: (key: string | undefined) => Resource | undefined
  /** Why an operation cannot be run, as a sentence; "" = it can. */
  why: (operation: Operation, resource?: Resource | null, row?: Row | null) => string
  /** Lets everything of the service be fetched anew: something was written. */
  refresh: () => Promise<void>
}

const key: InjectionKey<Here> = Symbol('here')

export function provideHere(name: ComputedRef<string>, screens: ComputedRef<Screens>): Here {
  const queries = useQueryClient()
  const sentence = useWhy()
  const here: Here = {
    name,
    screens,
    base: computed(() => screens.value.base),
    words: useWords(),
    operation: (id) => operationOf(screens.value.service, id),
    resource: (wanted) => resourceOf(screens.value.service, wanted),
    why: (operation, resource = null, row = null) =>
      sentence(whyNot(operation, screens.value.refused, resource, row), resource),
    refresh: () => queries.invalidateQueries({ queryKey: ['service', name.value] }),
  }
  provide(key, here)
  return here
}

export function useHere(): Here {
  const here = inject(key)
  if (!here) throw new Error('no service was provided')
  return here
}

/** Words that values are made of, in the page's language. */
export function useWords(): ComputedRef<Words> {
  const { t, locale } = useI18n()
  return computed(() => ({
    language: locale.value,
    yes: t('value.yes'),
    no: t('value.no'),
    count: (n) => t('value.count', { n }, n),
  }))
}

/** The sentence for why an operation is not to be had. */
export function useWhy() {
  const { t, te } = useI18n()
  const words = useWords()
  return (reason: WhyNot | null, resource: Resource | null): string => {
    if (!reason) return ''
    switch (reason.kind) {
      case 'roles':
        return t('why.roles', { roles: reason.roles.join(', ') || '—' })
      case 'waiting':
        return t('why.waiting')
      case 'row':
        return t('why.row')
      case 'state': {
        const field = fieldOf(resource?.record?.fields, reason.field) ?? fieldOf(resource?.row.fields, reason.field)
        const shown = field ?? { title: reason.field, type: 'string' }
        const values = reason.wanted.map((value) => textOf(shown, value, words.value)).join(', ')
        return t('why.state', { field: shown.title, values })
      }
      default:
        return te(`code.${reason.code}`) ? t(`code.${reason.code}`) : t('why.row')
    }
  }
}
