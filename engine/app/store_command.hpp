#pragma once
// `belfry store verify|backup|restore`: the store of a server that is not running (backup also of a
// running one, by `POST /api/v1/backup` later).
#include <string>

namespace belfry {

struct StoreArguments {
  std::string action;  ///< verify | backup | restore
  std::string store;   ///< the store's folder: DATA_DIR/store
  std::string dir;     ///< backup: to; restore: from
  bool json = false;
};

/// 0 = all is well, 1 = findings, 2 = cannot be done.
int store_command(const StoreArguments& arguments);

}  // namespace belfry
