#include "belfry/snmp/usm.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "belfry/base/text.hpp"
#include "belfry/snmp/sealer.hpp"
#include "engines.hpp"
#include "packets.hpp"
#include "usm_crypto.hpp"

namespace belfry::snmp {
namespace {

using namespace test;

const std::string kOther = hex("80007ed9040102");  // an agent's engine
constexpr std::int64_t kSecond = 1'000'000'000;

std::shared_ptr<const UsmUsers> users_of(std::string_view text) {
  auto users = UsmUsers::parse("users", text);
  EXPECT_TRUE(users) << users.error().what;
  return users ? *users : nullptr;
}

constexpr std::string_view kUsers = R"(
# comment
createUser ops SHA "a long passphrase" AES 'another one'
createUser audit SHA-512 a-long-passphrase AES-256 another-one
createUser lab MD5 a-long-passphrase DES another-one
createUser cisco SHA a-long-passphrase AES-256-C another-one
createUser plain
createUser signed SHA-256 a-long-passphrase
createUser -e 0x80007ed9040102 one SHA-224 a-long-passphrase AES-192 another-one
authUser log plain noauth
authUser log audit priv
)";

struct World {
  explicit World(std::string_view text = kUsers)
      : users(users_of(text)), usm(users, engines.get()) {
    usm.set_now(now);
  }
  std::string sealed(std::string_view user, const std::string& engine, std::uint32_t boots,
                     std::uint32_t time, std::uint8_t tag = 0xa7, bool reportable = false,
                     std::string_view level = {}) {
    auto sealer = Sealer::make(users, user, engine, level);
    EXPECT_TRUE(sealer) << sealer.error().what;
    return sealer->seal({.pdu_tag = tag,
                         .pdu = v2_pdu(),
                         .id = 77,
                         .boots = boots,
                         .time = time,
                         .reportable = reportable});
  }
  std::string_view open(const std::string& message) {
    arena.clear();
    return name(usm.open(arena.copy(message), arena, opened));
  }
  void later(std::int64_t seconds) { usm.set_now(now += seconds * kSecond); }

  std::int64_t now = 1000 * kSecond;
  std::unique_ptr<Engines> engines = *Engines::open("", hex("80007ed905aabbccdd"), now);
  std::shared_ptr<const UsmUsers> users;
  Usm usm;
  Arena arena;
  Usm::Opened opened;
};

TEST(UsmCrypto, KeysAreThoseOfTheRfc) {
  // RFC 3414 A.3.1, A.3.2: "maplesyrup" at engine 00 00 00 00 00 00 00 00 00 00 00 02.
  const std::string engine = hex("000000000000000000000002");
  const Secret md5 = key_of_passphrase(AuthProtocol::Md5, "maplesyrup");
  EXPECT_EQ(to_hex(md5.view()), "9faf3283884e92834ebc9847d8edd963");
  EXPECT_EQ(to_hex(key_of_engine(AuthProtocol::Md5, md5.view(), engine).view()),
            "526f5eed9fcce26f8964c2930787d82b");
  const Secret sha = key_of_passphrase(AuthProtocol::Sha1, "maplesyrup");
  EXPECT_EQ(to_hex(sha.view()), "9fb5cc0381497b3793528939ff788d5d79145211");
  EXPECT_EQ(to_hex(key_of_engine(AuthProtocol::Sha1, sha.view(), engine).view()),
            "6695febc9288e36282235fc7151f128497b38f3f");
}

TEST(UsmCrypto, ADigestIsComparedAtFullLength) {
  AuthKey key(AuthProtocol::Sha1, std::string(20, 'k'));
  std::array<char, kMacBytesMax> mac{};
  ASSERT_EQ(key.sign({"some ", "text"}, mac), 12U);
  const std::string whole(mac.data(), 12);
  EXPECT_TRUE(key.verify({"some text"}, whole));
  // CVE-2008-0960: a digest cut to one octet was compared at that length.
  for (std::size_t size = 0; size < 12; ++size) {
    EXPECT_FALSE(key.verify({"some text"}, whole.substr(0, size))) << size;
  }
  EXPECT_FALSE(key.verify({"some text"}, whole + '\0'));
}

TEST(Usm, EveryProtocolOpensWhatItSealed) {
  for (const std::string_view user : {"ops", "audit", "lab", "cisco", "signed", "one", "plain"}) {
    World world;
    EXPECT_EQ(world.open(world.sealed(user, kOther, 3, 50)), "ok") << user;
    EXPECT_EQ(world.opened.pdu, v2_pdu()) << user;
    EXPECT_EQ(world.opened.pdu_tag, 0xa7) << user;
    EXPECT_EQ(world.opened.user, user);
    EXPECT_TRUE(world.usm.report().empty());  // traps get none
  }
}

TEST(Usm, LevelsBelowAndAboveAUserAreRefused) {
  World world;
  EXPECT_EQ(world.open(world.sealed("ops", kOther, 1, 1, 0xa7, false, "noAuthNoPriv")),
            "v3-no-auth");
  EXPECT_EQ(world.open(world.sealed("ops", kOther, 1, 1, 0xa7, false, "authNoPriv")), "ok");
  EXPECT_EQ(world.open(world.sealed("audit", kOther, 1, 1, 0xa7, false, "authNoPriv")),
            "v3-no-auth");
  World allowed("createUser ops SHA a-long-passphrase\ndisableAuthorization yes\n");
  EXPECT_EQ(allowed.open(allowed.sealed("ops", kOther, 1, 1, 0xa7, false, "noAuthNoPriv")), "ok");
}

TEST(Usm, WrongSecretsUsersAndEnginesAreTold) {
  World world;
  World other(
      "createUser ops SHA some-other-phrase AES another-one\n"
      "createUser audit SHA-512 a-long-passphrase AES-256 some-other-phrase\n"
      "createUser nobody SHA a-long-passphrase\n"
      "createUser one SHA-224 a-long-passphrase\n");
  EXPECT_EQ(world.open(other.sealed("ops", kOther, 1, 1)), "v3-wrong-digest");
  EXPECT_EQ(world.open(other.sealed("audit", kOther, 1, 1)), "v3-decryption-error");
  EXPECT_EQ(world.open(other.sealed("nobody", kOther, 1, 1)), "v3-unknown-user");
  EXPECT_EQ(world.open(other.sealed("one", hex("80007ed9040103"), 1, 1)), "v3-unknown-user");
  std::string flipped = world.sealed("signed", kOther, 1, 1);
  flipped[flipped.size() - 3] = static_cast<char>(flipped[flipped.size() - 3] ^ 1);
  EXPECT_EQ(world.open(flipped), "v3-wrong-digest");
}

TEST(Usm, ASenderIsTheAuthorityOverItsTraps) {
  World world;
  EXPECT_EQ(world.open(world.sealed("ops", kOther, 5, 1000)), "ok");
  EXPECT_EQ(world.open(world.sealed("ops", kOther, 5, 850)), "ok");
  EXPECT_EQ(world.open(world.sealed("ops", kOther, 5, 849)), "v3-not-in-time-window");
  EXPECT_EQ(world.open(world.sealed("ops", kOther, 4, 5000)), "v3-not-in-time-window");
  world.later(100);
  EXPECT_EQ(world.open(world.sealed("ops", kOther, 5, 949)), "v3-not-in-time-window");
  EXPECT_EQ(world.open(world.sealed("ops", kOther, 5, 950)), "ok");
  EXPECT_EQ(world.open(world.sealed("ops", kOther, 6, 0)), "ok");
  EXPECT_EQ(world.open(world.sealed("ops", kOther, 5, 2000)), "v3-not-in-time-window");
  EXPECT_EQ(world.open(world.sealed("ops", kOther, kBootsMax, 0)), "v3-not-in-time-window");
  EXPECT_EQ(world.engines->known(), 1U);
}

TEST(Usm, AForgerMovesNoClock) {
  World world;
  World other("createUser ops SHA some-other-phrase AES another-one\n");
  EXPECT_EQ(world.open(other.sealed("ops", kOther, 100, 1)), "v3-wrong-digest");
  EXPECT_EQ(world.engines->known(), 0U);
  EXPECT_EQ(world.open(world.sealed("ops", kOther, 1, 1)), "ok");
}

TEST(Usm, DiscoveryIsAnsweredByAReport) {
  World world;
  world.later(42);
  EXPECT_EQ(world.open(discovery_request(4711)), "v3-discovery");
  const std::string report = world.usm.report();
  ASSERT_FALSE(report.empty());
  // What a sender reads of it: our engine, boots and time, usmStatsUnknownEngineIDs.
  EXPECT_NE(report.find(world.engines->id()), std::string::npos);
  EXPECT_NE(report.find(hex("2b060106030f01010400")), std::string::npos);
  Usm reader(world.users, nullptr);
  Usm::Opened opened;
  EXPECT_EQ(name(reader.open(world.arena.copy(report), world.arena, opened)), "v3-unknown-user");
  EXPECT_EQ(opened.engine, world.engines->id());
  EXPECT_FALSE(opened.reportable);
}

TEST(Usm, InformsAreJudgedByOurClockAndAnsweredAsTheyCame) {
  World world;
  world.later(500);
  const std::string& ours = world.engines->id();
  EXPECT_EQ(world.open(world.sealed("ops", ours, 0, 0, 0xa6, true)), "v3-not-in-time-window");
  const std::string report = world.usm.report();
  EXPECT_NE(report.find(hex("2b060106030f01010200")), std::string::npos);
  Usm client(world.users, nullptr);
  Usm::Opened opened;
  EXPECT_EQ(name(client.open(world.arena.copy(report), world.arena, opened)), "ok");  // signed
  EXPECT_EQ(opened.level, "authNoPriv");

  EXPECT_EQ(world.open(world.sealed("ops", ours, 1, 480, 0xa6, true)), "ok");
  const std::string response = world.usm.response();
  EXPECT_EQ(name(client.open(world.arena.copy(response), world.arena, opened)), "ok");
  EXPECT_EQ(opened.level, "authPriv");
  EXPECT_EQ(opened.pdu_tag, 0xa2);
  EXPECT_EQ(opened.pdu, v2_pdu());
  EXPECT_EQ(world.open(world.sealed("ops", ours, 1, 349, 0xa6, true)), "v3-not-in-time-window");
  EXPECT_EQ(world.open(world.sealed("ops", ours, 1, 651, 0xa6, true)), "v3-not-in-time-window");
  EXPECT_EQ(world.open(world.sealed("ops", kOther, 1, 500, 0xa6, true)), "v3-unknown-engine");
  EXPECT_EQ(world.open(world.sealed("ops", kOther, 1, 500, 0xa6, false)), "v3-unknown-engine");
}

TEST(Usm, ReportsAreBoundedPerSecond) {
  World world;
  std::size_t sent = 0;
  for (std::uint32_t i = 0; i < kReportsPerSecond + 50; ++i) {
    world.open(discovery_request(i));
    sent += world.usm.report().empty() ? 0U : 1U;
  }
  EXPECT_EQ(sent, kReportsPerSecond);
  world.later(1);
  world.open(discovery_request(1));
  EXPECT_FALSE(world.usm.report().empty());
}

TEST(UsmUsers, LinesSayWhatIsWrongAndNeverASecret) {
  for (const std::string_view text :
       {"createUser u SHA hush", "createUser u SHAX hushhush1", "createUser -e 80 u SHA hushhush1",
        "createUser u SHA hushhush1 RC4 hushhush2", "createUser u SHA -m 0xhushhush",
        "hushhush1 createUser u", "authUser log u hushhush", "usmUser 1 3 0x8000 hushhush"}) {
    const auto users = UsmUsers::parse("my.conf", "\n" + std::string(text));
    ASSERT_FALSE(users) << text;
    EXPECT_TRUE(users.error().what.starts_with("my.conf:2: ")) << users.error().what;
    EXPECT_EQ(users.error().what.find("hush"), std::string::npos) << users.error().what;
  }
  EXPECT_EQ(users_of(kUsers)->size(), 7U);
  EXPECT_EQ(users_of(kUsers)->weak(), 1U);
}

TEST(UsmUsers, KeysMayBeGivenInsteadOfPassphrases) {
  const std::string engine = kOther;
  const Secret master = key_of_passphrase(AuthProtocol::Sha1, "a-long-passphrase");
  const Secret local = key_of_engine(AuthProtocol::Sha1, master.view(), engine);
  World phrase("createUser u SHA a-long-passphrase AES");
  World masters("createUser u SHA -m 0x" + to_hex(master.view()) + " AES");
  World locals("createUser -e 0x" + to_hex(engine) + " u SHA -l 0x" + to_hex(local.view()) +
               " AES");
  EXPECT_EQ(masters.open(phrase.sealed("u", engine, 1, 1)), "ok");
  EXPECT_EQ(locals.open(phrase.sealed("u", engine, 1, 1)), "ok");
}

TEST(UsmUsers, AFileThatOthersMayReadIsRefused) {
  const std::string path = ::testing::TempDir() + "usm_users_" + std::to_string(::getpid());
  std::ofstream(path) << "createUser u SHA a-long-passphrase\n";
  ::chmod(path.c_str(), 0644);
  EXPECT_FALSE(UsmUsers::read(path, true));
  EXPECT_TRUE(UsmUsers::read(path, false));
  ::chmod(path.c_str(), 0600);
  EXPECT_TRUE(UsmUsers::read(path, true));
  std::filesystem::remove(path);
}

class EnginesFile : public ::testing::Test {
 protected:
  std::string path_ = ::testing::TempDir() + "engines_" + std::to_string(::getpid());
  void TearDown() override { std::filesystem::remove(path_); }
};

TEST_F(EnginesFile, KeepsBootsAndWhatOthersSaidOverARestart) {
  std::string id;
  {
    auto engines = Engines::open(path_, "", 0);
    ASSERT_TRUE(engines) << engines.error().what;
    id = (*engines)->id();
    EXPECT_EQ((*engines)->boots(), 1U);
    EXPECT_TRUE((*engines)->theirs_in_window(kOther, 7, 1000, 0));
    EXPECT_TRUE((*engines)->theirs_in_window(kOther, 7, 1200, 50 * kSecond));
  }
  auto engines = Engines::open(path_, "", 5 * kSecond);
  ASSERT_TRUE(engines) << engines.error().what;
  EXPECT_EQ((*engines)->id(), id);
  EXPECT_EQ((*engines)->boots(), 2U);
  EXPECT_FALSE((*engines)->theirs_in_window(kOther, 6, 9000, 6 * kSecond));
  EXPECT_FALSE((*engines)->theirs_in_window(kOther, 7, 1000, 6 * kSecond));  // a replay
  EXPECT_TRUE((*engines)->theirs_in_window(kOther, 7, 1051, 6 * kSecond));
}

TEST_F(EnginesFile, BootsAreOnDiskBeforeTheFirstAnswer) {
  for (std::uint32_t boots = 1; boots < 4; ++boots) {
    auto engines = Engines::open(path_, "", 0);
    ASSERT_TRUE(engines);
    EXPECT_EQ((*engines)->boots(), boots);
    std::ifstream in(path_);
    std::string head, self;
    std::getline(in, head);
    std::getline(in, self);
    EXPECT_TRUE(self.ends_with(" " + std::to_string(boots))) << self;
  }
}

TEST_F(EnginesFile, AFileThatDoesNotCheckIsNotGuessedAt) {
  {
    auto engines = Engines::open(path_, "", 0);
    ASSERT_TRUE(engines);
  }
  std::ofstream(path_, std::ios::app) << "0102030405 1 1\n";
  EXPECT_FALSE(Engines::open(path_, "", 0));
}

TEST(Engines, AreBounded) {
  auto engines = Engines::open("", "", 0);
  for (std::size_t i = 0; i < kEnginesMax + 1000; ++i) {
    std::string engine = "engine";
    for (int shift = 24; shift >= 0; shift -= 8) {
      engine.push_back(static_cast<char>(i >> shift));
    }
    (*engines)->theirs_in_window(engine, 1, 1, static_cast<std::int64_t>(i));
    if (i % 1000 == 0) {
      ASSERT_LE((*engines)->known(), kEnginesMax);
    }
  }
}

}  // namespace
}  // namespace belfry::snmp
