/** Numbers what one message of this side refers to. */
interface ReferenceWriter {
  /** @throws ERR_CONFINE_LIMIT, ERR_CONFINE_REVOKED */
  callback(value: Function): number
  /** @throws ERR_CONFINE_LIMIT, ERR_CONFINE_REVOKED */
  stream(value: AsyncIterable<unknown>): number
}

/** Makes of the other side's numbers what stands for its functions and streams. */
interface ReferenceReader {
  /** @throws ERR_CONFINE_PROTOCOL */
  callback(id: number): Function
  /** @throws ERR_CONFINE_PROTOCOL */
  stream(id: number): object
}

/** What one message may refer to, in the direction it goes. */
export interface MessageReferences {
  /** For a message to the other side that belongs to a container. */
  writer(cid: number): TransactionalWriter | undefined
  /** For a message of the other side that belongs to a container. */
  reader(cid: number): CollectingReader | undefined
  /** For the answer to a request of this side. */
  answerReader(id: number): CollectingReader | undefined
  /** For an item of a stream of the other side. */
  itemReader(stream: number): CollectingReader | undefined
  /** To which container a function or stream of this side belongs; 0 when to none. */
  cidOfOwn(reference: number): number
}

/** Numbers that hold only when the whole message could be written. */
export interface TransactionalWriter extends ReferenceWriter {
  undo(): void
}

/** Remembers what it made, for a message that nobody takes. */
export interface CollectingReader extends ReferenceReader {
  readonly made: readonly Releasable[]
}

/** Something that stands for a function or stream of the other side. */
export interface Releasable {
  release(): void
}
