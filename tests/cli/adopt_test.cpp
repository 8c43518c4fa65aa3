// `plumbline adopt` as an operator and a script see it: what plans tell to type, exit statuses,
// JSON.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "tests/support/netns.hpp"

namespace plumbline::test {
namespace {

namespace json = boost::json;

using ::testing::HasSubstr;

CommandResult plumbline(std::vector<std::string> arguments, std::string_view input = {}) {
  arguments.insert(arguments.begin(), PLUMBLINE_BINARY);
  return run(arguments, input);
}

/// What a plan says to type, as a shell takes it.
CommandResult typed(const std::string& message) {
  const std::size_t start = message.find("plumbline adopt '");
  if (start == message.npos) return {};
  const std::string words = message.substr(start, message.find('\n', start) - start);
  const std::string command = words.substr(0, words.rfind('\'') + 1);
  return run({"sh", "-c", "PATH=${0%/*}:$PATH; " + command + " --yes", PLUMBLINE_BINARY});
}

class AdoptVerb : public NetnsTest {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (IsSkipped()) return;
    bring_up_loopback();
    ip("link add br'0 type bridge");
    ip("link set br'0 up");
    ip("address add 10.1.0.1/24 dev br'0");
  }
};

TEST_F(AdoptVerb, IsWhatAConflictTellsToType) {
  ip("route add unreachable 10.9.0.0/16 metric 7");
  const std::string spec = R"({"version": 1,
    "links": {"br'0": {"kind": "bridge", "mtu": 1400}},
    "routes": [{"to": "10.9.0.0/16", "metric": 7, "type": "blackhole"}]})";
  for (int conflict = 0; conflict < 2; ++conflict) {
    const CommandResult refused = plumbline({"apply", "--yes", "-"}, spec);
    ASSERT_EQ(refused.status, 4) << refused.output;
    const CommandResult adopted = typed(refused.output);
    ASSERT_EQ(adopted.status, 0) << refused.output << adopted.output;
    EXPECT_THAT(adopted.output, HasSubstr("(adopted)"));
  }
  EXPECT_EQ(plumbline({"apply", "--yes", "-"}, spec).status, 0);
  EXPECT_EQ(ip("route show 10.9.0.0/16"), "blackhole 10.9.0.0/16 proto 112 metric 7 \n");
  EXPECT_THAT(ip("link show dev br'0"), HasSubstr("mtu 1400"));
}

TEST_F(AdoptVerb, IsWhatAPlanTellsOfWhatIsAsWanted) {
  const std::string spec =
      R"({"version": 1, "routes": [{"to": "10.9.0.0/16", "type": "blackhole"}]})";
  ip("route add blackhole 10.9.0.0/16");
  EXPECT_EQ(typed(plumbline({"plan", "-"}, spec).output).status, 0);
  EXPECT_EQ(ip("route show 10.9.0.0/16"), "blackhole 10.9.0.0/16 proto 112 \n");
  EXPECT_EQ(plumbline({"plan", "--detailed-exitcode", "-"}, spec).output,
            "No changes. The host matches the spec.\n");
}

TEST_F(AdoptVerb, SaysByItsExitStatusHowItEnded) {
  EXPECT_EQ(plumbline({"adopt"}).status, 64) << "no key";
  EXPECT_EQ(plumbline({"adopt", "link br'0"}).status, 64) << "nobody to ask";
  EXPECT_EQ(plumbline({"adopt", "--yes", "link br'0", "link br1"}).status, 1) << "no such link";
  EXPECT_EQ(plumbline({"adopt", "--yes", "link br'0", "link lo"}).status, 4) << "the kernel's";
  EXPECT_EQ(ip("link show dev br'0").find("plumbline"), std::string::npos) << "all or nothing";
  EXPECT_EQ(plumbline({"adopt", "--yes", "link br'0"}).status, 0);
  const CommandResult again = plumbline({"adopt", "--yes", "link br'0"});
  EXPECT_EQ(again.status, 0);
  EXPECT_EQ(again.output, "Nothing to do: all of it is ours.\n");
}

TEST_F(AdoptVerb, PrintsOneDocument) {
  const auto document = [](std::vector<std::string> keys) {
    keys.insert(keys.begin(), {"adopt", "--yes", "--format", "json"});
    return json::parse(plumbline(keys).output);
  };
  EXPECT_EQ(document({"link br1"}).at("errors").at(0).at("code").as_string(), "NO_SUCH_OBJECT");
  EXPECT_EQ(document({"link lo"}).at("errors").at(0).at("code").as_string(), "NOT_ADOPTABLE");
  EXPECT_EQ(document({"link lo"}).at("result").as_string(), "refused");
  const json::value adopted = document({"address br'0 10.1.0.1/24"});
  EXPECT_EQ(adopted.at("result").as_string(), "applied");
  EXPECT_EQ(adopted.at("steps").at(0).at("action").as_string(), "update");
  EXPECT_EQ(adopted.at("steps").at(0).at("result").as_string(), "done");
  EXPECT_EQ(document({"address br'0 10.1.0.1/24"}).at("result").as_string(), "unchanged");
}

}  // namespace
}  // namespace plumbline::test
