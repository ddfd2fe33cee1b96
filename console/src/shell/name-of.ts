/** What to call somebody: the name, else the e-mail, else the account's id. */
export function nameOf(person: { id: string; name?: string; email?: string }): string {
  return person.name || person.email || person.id
}
