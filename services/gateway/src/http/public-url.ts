// Where clients reach this API: the beginning of every address that answers contain.

export class PublicUrl {
  /** @param base without a slash at its end */
  constructor(readonly base: string) {}
}
