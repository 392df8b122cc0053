import protobuf from 'protobufjs';
import type { DType, TensorSpec } from './types.js';
import type { Attribute, Graph, Initializer } from './graph.js';

/** The part of onnx.proto that is written; field numbers as in https://github.com/onnx/onnx/blob/main/onnx/onnx.proto. */
const schema = protobuf.parse(
  `syntax = "proto3"; package onnx;
  message Attribute { string name = 1; optional float f = 2; optional int64 i = 3; optional bytes s = 4; repeated int64 ints = 8; int32 type = 20; }
  message Node { repeated string input = 1; repeated string output = 2; string op_type = 4; repeated Attribute attribute = 5; }
  message Tensor { repeated int64 dims = 1; int32 data_type = 2; string name = 8; bytes raw_data = 9; }
  message Dim { optional int64 dim_value = 1; }
  message Shape { repeated Dim dim = 1; }
  message TensorType { int32 elem_type = 1; Shape shape = 2; }
  message Type { TensorType tensor_type = 1; }
  message ValueInfo { string name = 1; Type type = 2; }
  message Graph { repeated Node node = 1; string name = 2; repeated Tensor initializer = 5; repeated ValueInfo input = 11; repeated ValueInfo output = 12; }
  message OpsetId { string domain = 1; int64 version = 2; }
  message Model { int64 ir_version = 1; Graph graph = 7; repeated OpsetId opset_import = 8; }`,
  { keepCase: true },
).root.lookupType('onnx.Model');

export const ONNX_TYPE = { float32: 1, int32: 6, int64: 7, bool: 9 } as const;

const attribute = ([name, value]: [string, Attribute]) => {
  if (typeof value === 'string') return { name, s: Buffer.from(value), type: 3 };
  if (typeof value !== 'number') return 'float' in value ? { name, f: value.float, type: 1 } : { name, ints: [...value], type: 7 };
  return { name, i: value, type: 2 };
};

const valueInfo = (name: string, { shape, dtype }: { shape: readonly number[]; dtype: DType }) => ({
  name,
  type: { tensor_type: { elem_type: ONNX_TYPE[dtype], shape: { dim: shape.map((d) => ({ dim_value: d })) } } },
});

const initializer = ([name, { shape, dtype, data }]: [string, Initializer]) => ({
  name,
  dims: [...shape],
  data_type: ONNX_TYPE[dtype],
  raw_data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
});

/** Writes a graph as an ONNX model (opset 20). */
export function serialise(
  graph: Graph,
  inputs: Readonly<Record<string, TensorSpec>>,
  outputs: Readonly<Record<string, TensorSpec>>,
): Uint8Array {
  return schema
    .encode({
      ir_version: 9,
      opset_import: [{ domain: '', version: 20 }],
      graph: {
        name: 'lethe',
        node: graph.nodes.map((n) => ({
          input: n.inputs,
          output: [n.output],
          op_type: n.op,
          attribute: Object.entries(n.attributes).map(attribute),
        })),
        initializer: [...graph.initializers].map(initializer),
        input: Object.entries(inputs).map(([k, v]) => valueInfo(`in:${k}`, v)),
        output: Object.entries(outputs).map(([k, v]) => valueInfo(`out:${k}`, v)),
      },
    })
    .finish();
}
