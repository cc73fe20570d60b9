#pragma once
// `belfry decode --as plugin`: what a check makes of a monitoring plugin's output.
#include <string>
#include <string_view>

namespace belfry {

/// Appends one line for each output in `input`. A line that is a JSON object with `stdout` and
/// `exit` is one output, its `id` is passed through; an input that does not begin with `{` is one
/// output as a whole, with no exit code.
void decode_plugins(std::string_view input, std::string& out);

}  // namespace belfry
