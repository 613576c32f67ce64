/** What a plug-in may call. */
export interface Host {
  word(language: 'en' | 'de'): Promise<string>
}
