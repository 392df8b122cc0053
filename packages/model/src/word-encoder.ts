import { ByteLevelPreTokenizer, MetaspacePreTokenizer, type Tokenizer } from '@huggingface/tokenizers';
import { wordSteps } from './steps.js';

/** Words whose tokens are kept; when there are more, all are forgotten. Texts of a language share nearly all of theirs. */
const CAPACITY = 1 << 16;

/**
 * A faster way to the same tokens: every word is tokenized once. It is open where a tokenizer cuts text into words which it then
 * tokenizes one by one, byte by byte (those of GPT-2, GPT-NeoX, Llama 3, Qwen): what a word's tokens are does not depend on the text around it.
 * The library keeps words too, but behind the work of preparing each, and by a map that is rewritten at every look.
 *
 * @returns null for a tokenizer of another kind; else the tokens of a text, or null for one that is not cut into words alone,
 * because it holds an added token or is changed before it is cut
 */
export function wordEncoder(tokenizer: Tokenizer): ((text: string) => number[] | null) | null {
  const { model, normalizer, pre_tokenizer: preTokenizer } = tokenizer;
  const steps = wordSteps(preTokenizer);
  const bytes = steps.pop();
  // spaces are put before a text or its first word, and unknown tokens joined, by what stands around
  if (!(bytes instanceof ByteLevelPreTokenizer) || bytes.use_regex || bytes.add_prefix_space || model.fuse_unk) return null;
  if (steps.length === 0 || steps.some((step) => step instanceof ByteLevelPreTokenizer || step instanceof MetaspacePreTokenizer)) return null;
  const added = [...tokenizer.get_added_tokens_decoder().values()]
    .flatMap(({ content }) => (normalizer === null ? [content] : [content, normalizer(content)])).filter((content) => content !== '');
  const special = added.length === 0 ? null : new RegExp(added.map((content) => content.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')).join('|'));
  const known = new Map<string, readonly number[]>();
  const learn = (word: string): readonly number[] => {
    const ids = model.encode(bytes.pre_tokenize(word)).map((token) => tokenizer.token_to_id(token)!);
    if (known.size >= CAPACITY) known.clear();
    // a copy: a part of a text keeps all of it in memory
    known.set(Buffer.from(word).toString(), ids);
    return ids;
  };
  return (text) => {
    if (special?.test(text) || (normalizer !== null && normalizer(text) !== text)) return null;
    const ids: number[] = [];
    let words = [text];
    for (const step of steps) words = step.pre_tokenize(words);
    for (const word of words) {
      for (const id of known.get(word) ?? learn(word)) ids.push(id);
    }
    return ids;
  };
}
