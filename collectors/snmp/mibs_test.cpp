#include "belfry/snmp/mibs.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "belfry/model/oid.hpp"
#include "mib_files.hpp"

namespace belfry::snmp {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kAcme = R"(ACME-TEST-MIB DEFINITIONS ::= BEGIN
IMPORTS
  MODULE-IDENTITY, OBJECT-TYPE, NOTIFICATION-TYPE, enterprises, Integer32 FROM SNMPv2-SMI
  TEXTUAL-CONVENTION, DateAndTime FROM SNMPv2-TC;
acme MODULE-IDENTITY
  LAST-UPDATED "202611250000Z"
  ORGANIZATION "Acme"
  CONTACT-INFO "none"
  DESCRIPTION "for tests"
  ::= { enterprises 32473 }
AcmeTenths ::= TEXTUAL-CONVENTION
  DISPLAY-HINT "d-1"
  STATUS current
  DESCRIPTION "tenths"
  SYNTAX Integer32
acmeObjects OBJECT IDENTIFIER ::= { acme 2 }
acmeDoor OBJECT-TYPE
  SYNTAX INTEGER { open(1), closed(2) }
  MAX-ACCESS read-only
  STATUS current
  DESCRIPTION "the door"
  ::= { acmeObjects 1 }
acmeTemperature OBJECT-TYPE
  SYNTAX AcmeTenths
  MAX-ACCESS read-only
  STATUS current
  DESCRIPTION "how warm"
  ::= { acmeObjects 2 }
acmeSince OBJECT-TYPE
  SYNTAX DateAndTime
  MAX-ACCESS read-only
  STATUS current
  DESCRIPTION "since when"
  ::= { acmeObjects 3 }
acmeNotifications OBJECT IDENTIFIER ::= { acme 0 }
acmeDoorMoved NOTIFICATION-TYPE
  OBJECTS { acmeDoor }
  STATUS current
  DESCRIPTION "it moved"
  ::= { acmeNotifications 1 }
END
)";
constexpr std::string_view kOld = R"(OLD-TEST-MIB DEFINITIONS ::= BEGIN
IMPORTS
  enterprises FROM RFC1155-SMI
  OBJECT-TYPE FROM RFC-1212
  TRAP-TYPE FROM RFC-1215;
oldBox OBJECT IDENTIFIER ::= { enterprises 32474 }
oldFan OBJECT-TYPE
  SYNTAX INTEGER { good(1), bad(2) }
  ACCESS read-only
  STATUS mandatory
  DESCRIPTION "a fan"
  ::= { oldBox 1 }
oldFanBad TRAP-TYPE
  ENTERPRISE oldBox
  VARIABLES { oldFan }
  DESCRIPTION "it stands"
  ::= 7
END
)";

class Mibs : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(::testing::TempDir()) / ("mibs_" + std::to_string(::getpid()));
    fs::create_directories(folder_ / "vendor");
  }
  void TearDown() override { fs::remove_all(folder_); }
  void write(const std::string& name, std::string_view text) const {
    std::ofstream(folder_ / name) << text;
  }
  /// As the child does it: in a process of its own, into a pipe.
  std::string compiled() const {
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      ::close(ends[0]);
      ::_exit(compile_mibs(folder_.string(), {}, ::fdopen(ends[1], "w")));
    }
    ::close(ends[1]);
    std::string out(1 << 22, '\0');
    std::size_t size = 0;
    for (ssize_t n = 1; n > 0; size += n > 0 ? static_cast<std::size_t>(n) : 0) {
      n = ::read(ends[0], out.data() + size, out.size() - size);
    }
    ::close(ends[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    out.resize(size);
    return out;
  }
  /// A compiler that is a shell script, for what the real one does not do on demand.
  std::string script(const std::string& text) const {
    const std::string path = (folder_ / ".compiler").string();
    std::ofstream(path) << "#!/bin/sh\n" << text;
    ::chmod(path.c_str(), 0700);
    return path;
  }
  static std::shared_ptr<const MibTable> table_of(const std::string& text) {
    auto table = MibTable::parse(text.substr(text.find(MibTable::head())));
    EXPECT_TRUE(table) << table.error().what;
    return table ? *table : MibTable::built_in();
  }
  fs::path folder_;
};

TEST_F(Mibs, NamesConventionsEnumsAndHintsOfBothLanguages) {
  write("ACME-TEST-MIB.txt", kAcme);
  write("vendor/old.mib", kOld);
  const auto table = table_of(compiled());
  EXPECT_EQ(oid_to_text(*table->oid("ACME-TEST-MIB", "acmeDoorMoved")), "1.3.6.1.4.1.32473.0.1");
  EXPECT_EQ(oid_to_text(*table->oid("OLD-TEST-MIB", "oldFanBad")), "1.3.6.1.4.1.32474.0.7");
  const MibTable::Node* door = table->find(*oid_from_text("1.3.6.1.4.1.32473.2.1.0"));
  ASSERT_NE(door, nullptr);
  EXPECT_EQ(door->name, "acmeDoor");
  const auto shown = [&](const std::string& oid, std::int64_t number) {
    const std::string octets = *oid_from_text(oid);
    return table->shown({octets, VarType::Integer, {}, number});
  };
  EXPECT_EQ(shown("1.3.6.1.4.1.32473.2.1.0", 2), "closed");
  EXPECT_EQ(shown("1.3.6.1.4.1.32473.2.2.0", 215), "21.5");
  EXPECT_EQ(shown("1.3.6.1.4.1.32474.1.0", 2), "bad");
  EXPECT_EQ(shown("1.3.6.1.2.1.2.2.1.8.3", 7), "lowerLayerDown");  // of the modules it brings
  const MibTable::Node* since = table->find(*oid_from_text("1.3.6.1.4.1.32473.2.3.0"));
  ASSERT_NE(since, nullptr);
  EXPECT_EQ(since->convention, "DateAndTime");
  EXPECT_TRUE(since->hint.starts_with("2d-1d-1d")) << since->hint;
}

TEST_F(Mibs, AFileThatDoesNotParseIsAWarningAndNoMore) {
  write("ACME-TEST-MIB.txt", kAcme);
  write("broken.txt", "BROKEN-MIB DEFINITIONS ::= BEGIN\nx OBJECT-TYPE SYNTAX ((((\n");
  write("noise.txt", std::string(5000, '\xff'));
  write("needs.txt",
        "NEEDS-MIB DEFINITIONS ::= BEGIN IMPORTS nothing FROM NOWHERE-MIB;\n"
        "lost OBJECT IDENTIFIER ::= { nothing 3 }\nEND\n");
  const std::string text = compiled();
  EXPECT_NE(text.find("\nW\t"), std::string::npos);
  EXPECT_TRUE(table_of(text)->oid("ACME-TEST-MIB", "acmeDoor"));
}

TEST_F(Mibs, AFileThatBreaksTheCompilerIsLeftOut) {
  write("bad.txt", "x");
  const auto loaded = load_mibs(folder_.string(), script(R"(case "$*" in
  *"--skip bad.txt"*) printf 'W\tsome warning\nF\t\nbelfry-mibs 1\nend 0\n';;
  *) printf 'F\tgood.txt\nF\tbad.txt\nbelfry-mi'; kill -SEGV $$;;
esac
)"));
  ASSERT_TRUE(loaded) << loaded.error().what;
  ASSERT_EQ(loaded->warnings.size(), 2U);
  EXPECT_EQ(loaded->warnings[0], "bad.txt: left out: the MIB compiler crashed at it");
  EXPECT_EQ(loaded->warnings[1], "some warning");
}

TEST_F(Mibs, NonsenseFromTheCompilerIsRefused) {
  for (const std::string_view text :
       {"exit 0", "printf 'belfry-mibs 1\\nend 5\\n'", "printf 'belfry-mibs 1\\nend 0\\n'; exit 3",
        "printf 'F\\tother.txt\\n'; exit 1"}) {
    EXPECT_FALSE(load_mibs(folder_.string(), script(std::string(text) + "\n"))) << text;
  }
  EXPECT_FALSE(load_mibs(folder_.string(), "/nonexistent/program"));
  EXPECT_FALSE(load_mibs(folder_.string() + "/none"));
}

TEST_F(Mibs, FilesAreRegularOnesThatAreNotHidden) {
  write("b.txt", "x");
  write("a", "x");
  write(".hidden", "x");
  write("vendor/c.my", "x");
  EXPECT_EQ(
      mib_files(folder_.string(), {"b.txt"}),
      (std::vector<std::string>{(folder_ / "a").string(), (folder_ / "vendor/c.my").string()}));
}

}  // namespace
}  // namespace belfry::snmp
