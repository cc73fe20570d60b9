#pragma once
// `belfry run`: the server in the foreground, until SIGINT or SIGTERM.
#include <string>

namespace belfry {

/// 0 a clean end, 1 cannot run, 2 wrong configuration, rules or inventory (every error at once).
int run_command(const std::string& config_file);

}  // namespace belfry
