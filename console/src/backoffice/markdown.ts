import createPurifier from 'dompurify'
import { Marked } from 'marked'
import { safeImage, safeLink } from './show'

const tags = 'a,p,br,strong,em,del,code,pre,ul,ol,li,blockquote,h3,h4,h5,h6,hr,img,table,thead,tbody,tr,th,td'.split(
  ',',
)

const purifier = createPurifier()

// HTML within it is shown as the text that it is: already to parse it, so as to clean it, would have the page's policy
// stop its handlers and styles, and complain.
const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
const markdown = new Marked({
  async: false,
  gfm: true,
  breaks: true,
  renderer: { html: ({ text }) => escaped(text) },
})

purifier.addHook('afterSanitizeAttributes', (node) => {
  if (node.tagName === 'A') {
    const address = safeLink(node.getAttribute('href') ?? '')
    if (address) {
      node.setAttribute('target', '_blank')
      node.setAttribute('rel', 'noopener noreferrer')
    } else node.removeAttribute('href')
  }
  if (node.tagName === 'IMG') {
    if (safeImage(node.getAttribute('src') ?? '')) node.setAttribute('referrerpolicy', 'no-referrer')
    else node.remove()
  }
})

/** Markdown as HTML that can do nothing but be read: links lead to http(s) in a new tab, images come by https. */
export function cleanMarkdown(text: string): string {
  const html = markdown.parse(text.slice(0, 100_000), { async: false })
  return purifier.sanitize(html, { ALLOWED_TAGS: tags, ALLOWED_ATTR: ['href', 'src', 'alt', 'title', 'start'] })
}
