import { dirname, join, relative, sep } from 'node:path';
import protobuf from 'protobufjs';
import { ONNX_TYPE } from './graph/onnx-types.js';
import { type Attribute, type Graph, type Held, type Initializer, type Value, isHeld } from './graph/types.js';

/** The part of onnx.proto that is written; field numbers as in https://github.com/onnx/onnx/blob/main/onnx/onnx.proto. */
const schema = protobuf
  .parse(
    `syntax = "proto3"; package onnx;
  message Attribute {
    string name = 1; optional float f = 2; optional int64 i = 3; optional bytes s = 4; repeated int64 ints = 8; int32 type = 20;
  }
  message Node {
    repeated string input = 1; repeated string output = 2; string name = 3; string op_type = 4;
    repeated Attribute attribute = 5; string domain = 7;
  }
  message Entry { string key = 1; string value = 2; }
  message Tensor {
    repeated int64 dims = 1; int32 data_type = 2; string name = 8; bytes raw_data = 9;
    repeated Entry external_data = 13; int32 data_location = 14;
  }
  message Dim { optional int64 dim_value = 1; }
  message Shape { repeated Dim dim = 1; }
  message TensorType { int32 elem_type = 1; Shape shape = 2; }
  message Type { TensorType tensor_type = 1; }
  message ValueInfo { string name = 1; Type type = 2; }
  message Graph {
    repeated Node node = 1; string name = 2; repeated Tensor initializer = 5;
    repeated ValueInfo input = 11; repeated ValueInfo output = 12;
  }
  message OpsetId { string domain = 1; int64 version = 2; }
  message Model { int64 ir_version = 1; Graph graph = 7; repeated OpsetId opset_import = 8; }`,
    { keepCase: true },
  )
  .root.lookupType('onnx.Model');

/** Operators that onnxruntime adds to the standard ones. */
const CONTRIBUTED = new Set(['RotaryEmbedding']);
/** Constants from this size on stay out of the protobuf, which copies them and is limited to 2 GB. */
const EXTERNAL_BYTES = 4096;

/** A model file, and the constants that it only names. */
export interface OnnxModel {
  readonly bytes: Uint8Array;
  readonly externalData: readonly { readonly path: string; readonly data: Uint8Array }[];
  /** Constants that are inputs of the model, to be given with every run: no session holds them. */
  readonly given: Readonly<Record<string, Held>>;
  /** The folder that the files of stored constants lie under; null where there are none. */
  readonly folder: string | null;
}

const attribute = ([name, value]: [string, Attribute]) => {
  if (typeof value === 'string') return { name, s: Buffer.from(value), type: 3 };
  if (typeof value !== 'number')
    return 'float' in value ? { name, f: value.float, type: 1 } : { name, ints: [...value], type: 7 };
  return { name, i: value, type: 2 };
};

const valueInfo = (name: string, { shape, dtype }: Value) => ({
  name,
  type: { tensor_type: { elem_type: ONNX_TYPE[dtype], shape: { dim: shape.map((d) => ({ dim_value: d })) } } },
});

const bytesOf = ({ data }: Held) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

/** The innermost folder that holds all files; null for none. */
function folderOf(files: readonly string[]): string | null {
  const [first, ...rest] = files.map((file) => dirname(file));
  if (first === undefined) return null;
  let folder = first;
  while (rest.some((other) => other !== folder && !other.startsWith(join(folder, sep)))) folder = dirname(folder);
  return folder;
}

/** True for a constant that is too large for the model file. */
const isLarge = (constant: Initializer): constant is Held => isHeld(constant) && constant.data.byteLength >= EXTERNAL_BYTES;

/** Where large constants in memory go: beside the model file, or, as the runtime takes such constants or files but not both, into its inputs. */
const isExternal = (constant: Initializer, folder: string | null): constant is Held => folder === null && isLarge(constant);
const isGiven = (constant: Initializer, folder: string | null, far: boolean): constant is Held =>
  folder !== null && !far && isLarge(constant) && constant.dtype === 'float32';

/** Where the bytes of a constant are: beside the model file under the constant's name, in it, or in a file under `folder`. */
function placeOf(name: string, constant: Initializer, folder: string | null) {
  const entry = (key: string, value: string | number) => ({ key, value: String(value) });
  if (isExternal(constant, folder)) return { data_location: 1, external_data: [entry('location', name)] };
  if (isHeld(constant)) return { raw_data: bytesOf(constant) };
  const { file, offset, length } = constant.stored;
  const location = relative(folder!, file).replaceAll(sep, '/');
  return { data_location: 1, external_data: [entry('location', location), entry('offset', offset), entry('length', length)] };
}

/**
 * Writes a graph as an ONNX model (opset 20); inputs are named `in:NAME`, outputs `out:NAME`.
 *
 * @param far whether it is for a device with memory of its own, to which inputs are copied for every run
 */
export function serialise(graph: Graph, inputs: Readonly<Record<string, Value>>, far = false): OnnxModel {
  const outputs = Object.entries(graph.outputs);
  const initializers = [...graph.initializers];
  const folder = folderOf(initializers.flatMap(([, constant]) => (isHeld(constant) ? [] : [constant.stored.file])));
  const given = Object.fromEntries(initializers.flatMap(([name, constant]) => (isGiven(constant, folder, far) ? [[name, constant] as const] : [])));
  const bytes = schema
    .encode({
      ir_version: 9,
      opset_import: [
        { domain: '', version: 20 },
        { domain: 'com.microsoft', version: 1 },
      ],
      graph: {
        name: 'lethe',
        node: [
          ...graph.nodes.map((n) => ({
            input: n.inputs,
            output: n.outputs,
            name: `${n.origin} ${n.outputs[0]!}`,
            op_type: n.op,
            domain: CONTRIBUTED.has(n.op) ? 'com.microsoft' : '',
            attribute: Object.entries(n.attributes).map(attribute),
          })),
          ...outputs.map(([name, ref]) => ({ input: [ref], output: [`out:${name}`], name: `out:${name}`, op_type: 'Identity' })),
        ],
        initializer: initializers.filter(([name]) => !(name in given)).map(([name, constant]) => ({
          name,
          dims: [...constant.shape],
          data_type: ONNX_TYPE[constant.dtype],
          ...placeOf(name, constant, folder),
        })),
        input: [
          ...Object.entries(inputs).map(([k, v]) => valueInfo(`in:${k}`, v)),
          ...Object.entries(given).map(([k, v]) => valueInfo(k, v)),
        ],
        output: outputs.map(([k, ref]) => valueInfo(`out:${k}`, graph.values.get(ref)!)),
      },
    })
    .finish();
  const externalData = initializers.flatMap(([path, constant]) =>
    isExternal(constant, folder) ? [{ path, data: bytesOf(constant) }] : [],
  );
  return { bytes, externalData, given, folder };
}
