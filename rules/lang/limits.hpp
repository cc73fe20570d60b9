#pragma once
// Bounds of the compiler, beside those of the face (kFileBytesMax, kNestingMax).
#include <cstddef>
#include <cstdint>

namespace belfry::rules {

/// Errors and warnings kept per run; the rest is counted. A person mends the first ten and runs
/// again.
inline constexpr std::size_t kDiagnosticsMax = 200;
/// Steps of the parser per token of the file: a correct file takes about 12.
inline constexpr std::uint64_t kFuelPerToken = 256;
/// Height of a syntax tree: what the checker and the evaluators recurse over.
inline constexpr std::uint32_t kTreeHeightMax = 600;
/// Bytes of one `{hole}` in a string, so that a stray `{` costs no scan of the whole file.
inline constexpr std::size_t kHoleBytesMax = 512;
/// A literal piece of a template that is shorter than this makes a poor anchor (LANGUAGE 10.2).
inline constexpr std::size_t kAnchorBytesMin = 4;

}  // namespace belfry::rules
