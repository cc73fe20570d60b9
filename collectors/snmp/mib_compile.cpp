// The only place that meets net-snmp's headers: they leave thousands of macros behind, and want
// their configuration first.
// clang-format off
#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>
// clang-format on
#include <sys/prctl.h>
#include <sys/resource.h>

#include <algorithm>
#include <cctype>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "base_mibs.hpp"
#include "belfry/snmp/mibs.hpp"
#include "mib_files.hpp"

namespace belfry::snmp {
namespace {

namespace fs = std::filesystem;

constexpr rlim_t kMemoryBytesMax = rlim_t{2} << 30;
constexpr int kDepthMax = 128;  // of the tree: an OID has no more arcs

std::FILE* g_out = nullptr;  // net-snmp's log callback takes no state that would be simpler

std::string plain(std::string_view text, std::size_t max = 512) {
  std::string out(text.substr(0, max));
  std::ranges::replace_if(
      out, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
  return out;
}

int on_log(int, int, void* message, void*) {
  const auto* said = static_cast<const snmp_log_message*>(message);
  if (said != nullptr && said->msg != nullptr) {
    std::fprintf(g_out, "W\t%s\n", plain(said->msg).c_str());
  }
  return SNMP_ERR_NOERROR;
}

void limit(bool memory) {
  const rlimit none{0, 0}, cpu{kMibSecondsMax, kMibSecondsMax},
      space{kMemoryBytesMax, kMemoryBytesMax};
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  setrlimit(RLIMIT_CORE, &none);
  setrlimit(RLIMIT_FSIZE, &none);  // it writes to its pipe alone
  setrlimit(RLIMIT_CPU, &cpu);
  if (memory) {
    setrlimit(RLIMIT_AS, &space);
  }
}

std::string enums_of(const tree& node) {
  std::string out;
  for (const enum_list* e = node.enums; e != nullptr; e = e->next) {
    if (e->label != nullptr) {
      out += (out.empty() ? "" : ",") + plain(e->label) + "=" + std::to_string(e->value);
    }
  }
  return out;
}

bool is_label(const char* label) {
  const std::string_view text = label == nullptr ? "" : label;
  return !text.empty() && text.size() <= 128 && std::ranges::all_of(text, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_';
  });
}

std::string module_of(int id) {
  char buffer[256] = "";
  return is_label(::module_name(id, buffer)) ? std::string(buffer) : std::string();
}

bool has_value(int type) {
  return type != TYPE_OTHER && type != TYPE_NOTIFTYPE && type != TYPE_TRAPTYPE &&
         type != TYPE_MODID && type != TYPE_OBJGROUP && type != TYPE_NOTIFGROUP;
}

/// Nodes that somebody may meet: a subtree's own name is worth having too, so all that have one.
std::size_t write_node(const tree& node, const std::string& oid) {
  if (!is_label(node.label)) {
    return 0;
  }
  const bool notification = node.type == TYPE_NOTIFTYPE || node.type == TYPE_TRAPTYPE;
  const char* convention = node.tc_index >= 0 ? get_tc_descriptor(node.tc_index) : nullptr;
  std::size_t written = 0;
  for (int i = 0; i < std::max(1, node.number_modules); ++i) {
    const std::string module = module_of(
        node.number_modules > 1 && node.module_list != nullptr ? node.module_list[i] : node.modid);
    if (!module.empty()) {
      std::fprintf(
          g_out, "N\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", module.c_str(), node.label, oid.c_str(),
          notification           ? "notification"
          : has_value(node.type) ? "object"
                                 : "other",
          is_label(convention) ? convention : "",
          node.hint == nullptr ? "" : plain(node.hint, 256).c_str(), enums_of(node).c_str());
      ++written;
    }
  }
  return written;
}

std::size_t write_tree(const tree* node, const std::string& above, int depth) {
  std::size_t written = 0;
  for (; node != nullptr && depth < kDepthMax; node = node->next_peer) {
    const std::string oid =
        above.empty() ? std::to_string(node->subid) : above + "." + std::to_string(node->subid);
    if (depth >= 1) {
      written += write_node(*node, oid);
    }
    written += write_tree(node->child_list, oid, depth + 1);
  }
  return written;
}

void say_file(const std::string& path) {
  std::fprintf(g_out, "F\t%s\n", plain(fs::path(path).filename().string()).c_str());
  std::fflush(g_out);
}

/// Each module that no other one's imports have brought in yet.
void read_modules() {
  for (int id = 0;; ++id) {
    const module* mib = find_module(id);
    if (mib == nullptr) {
      return;
    }
    if (mib->no_imports == -1 && mib->name != nullptr && mib->file != nullptr) {
      say_file(mib->file);
      ::read_module(mib->name);
    }
  }
}

/// The base modules as files: net-snmp's parser reads nothing else.
std::string write_base() {
  std::string folder = (fs::temp_directory_path() / "belfry-mibs-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) {
    return {};
  }
  for (const BaseMib& mib : base_mibs()) {
    std::ofstream(fs::path(folder) / (std::string(mib.name) + ".txt")) << mib.text;
  }
  return folder;
}

}  // namespace

int compile_mibs(const std::string& folder, const std::vector<std::string>& skip, std::FILE* out) {
  g_out = out;
  const std::string base = write_base();
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
  limit(false);  // its shadow is larger than any limit
#else
  limit(true);
#endif
#endif
  setenv("MIBS", "", 1);
  setenv("MIBDIRS", "/nonexistent", 1);
  setenv("SNMP_PERSISTENT_DIR", "/nonexistent", 1);
  snmp_disable_stderrlog();
  snmp_enable_calllog();
  snmp_register_callback(SNMP_CALLBACK_LIBRARY, SNMP_CALLBACK_LOGGING, on_log, nullptr);
  netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_MIB_PARSE_LABEL, 1);
  netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_MIB_ERRORS, 1);
  netsnmp_init_mib_internals();
  if (!base.empty()) {
    add_mibdir(base.c_str());
  }
  for (const std::string& path : mib_files(folder, skip)) {
    say_file(path);
    add_mibfile(path.c_str(), nullptr);  // a later module of the same name replaces the base's
  }
  read_modules();
  std::error_code error;
  fs::remove_all(base, error);
  std::fprintf(out, "F\t\n%s", MibTable::head().c_str());
  const std::size_t written = write_tree(get_tree_head(), "", 0);
  std::fprintf(out, "end %zu\n", written);
  return std::fflush(out) == 0 ? 0 : 1;
}

}  // namespace belfry::snmp
