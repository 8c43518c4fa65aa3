// docs/taking-over-a-host.md, done as it stands there, while a guest sends packets all the time.

#include <gmock/gmock.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/support/world.hpp"

namespace plumbline::test {
namespace {

namespace fs = std::filesystem;

struct Block {
  std::string language;
  std::vector<std::string> lines;
};

/// The blocks between that heading and the next one.
std::vector<Block> blocks_of(const std::string& heading) {
  std::ifstream file(fs::path(PLUMBLINE_SOURCE_DIR) / "docs/taking-over-a-host.md");
  std::vector<Block> blocks;
  bool in_section = false;
  bool in_block = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("## ")) in_section = line == "## " + heading;
    if (!in_section) continue;
    if (line.starts_with("```")) {
      if (!in_block) blocks.push_back({line.substr(3), {}});
      in_block = !in_block;
    } else if (in_block) {
      blocks.back().lines.push_back(line);
    }
  }
  return blocks;
}

class TakingOver : public World {
 protected:
  void SetUp() override {
    World::SetUp();
    if (IsSkipped()) return;
    std::string name = fs::temp_directory_path() / "plumbline-takeover-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
    fs::create_directory(directory_ / "bin");
    fs::create_symlink(PLUMBLINE_BINARY, directory_ / "bin/plumbline");
  }
  void TearDown() override {
    if (!directory_.empty()) fs::remove_all(directory_);
    World::TearDown();
  }

  /// A command of the page; `# exit N` behind it says how it ends when not with 0.
  void carry_out(const std::string& command) {
    const auto comment = command.find("# exit ");
    const int status = comment == std::string::npos ? 0 : std::stoi(command.substr(comment + 7));
    const std::string there =
        "cd " + directory_.string() + "; PATH=" + directory_.string() + "/bin:$PATH; ";
    const CommandResult result = run({"sh", "-c", there + command});
    EXPECT_EQ(result.status, status) << command << "\n" << result.output;
    output_ = result.output;
  }
  void carry_out(const Block& block) {
    if (block.language == "sh") {
      for (const std::string& line : block.lines) carry_out(line);
      return;
    }
    std::ofstream spec(directory_ / "host.json");
    for (const std::string& line : block.lines) spec << line << "\n";
  }

  /// Carries the page's blocks out from the second on; no packet of the guest's to the allowed
  /// port, nor an answer to one, is lost meanwhile, and none to the denied one comes by.
  void take_over(const std::vector<Block>& blocks, Station& guest, const Packet& denied) {
    Stream stream(guest, {guest.udp(remote_ip, allowed_port), denied});
    stream.run_for(300);
    for (std::size_t i = 1; i < blocks.size(); ++i) carry_out(blocks[i]);
    stream.run_for(300);
    stream.stop();
    internet().settle();
    EXPECT_TRUE(guest.await({.from = remote_ip, .from_port = allowed_port}, stream.sent()));
    EXPECT_EQ(internet().count({.from = uplink_ip, .to_port = allowed_port}), stream.sent());
    EXPECT_EQ(internet().count({.carries = denied.carries, .to_port = denied.to_port}), 0U);
  }

  /// Index and MAC of the bridge and the TAP.
  static std::string identities() {
    std::string text;
    for (const std::string name : {"svbr0", "svvm1eth0"}) {
      const std::string line = ip("-o link show dev " + name);
      const std::size_t mac = line.find("link/ether ");
      text += line.substr(0, line.find(':')) + " " + line.substr(mac, 28) + "\n";
    }
    return text;
  }

  fs::path directory_;
  std::string output_;
};

TEST_F(TakingOver, AHostSetUpByHandLosesNoPacket) {
  const std::vector<Block> blocks = blocks_of("A host set up by hand");
  ASSERT_GE(blocks.size(), 6U);
  carry_out(blocks.front());
  Station guest(open_tap("tap-web"), {.mac = "02:00:00:00:01:09"_mac, .ip = "10.1.0.9"_ip});
  guest.learn_gateway("10.1.0.1"_ip);
  take_over(blocks, guest, guest.syn(remote_ip, 25));
  EXPECT_EQ(output_, "No changes. The host matches the spec.\n");
  EXPECT_THAT(must_run({"iptables", "-S"}), ::testing::Not(::testing::HasSubstr("LAN-OUT")));
  EXPECT_EQ(guest.pings("10.1.0.1"_ip), 3);
}

TEST_F(TakingOver, AVmHostOfTheLibraryLosesNoPacketAndLetsNoneThrough) {
  const std::vector<Block> blocks = blocks_of("A VM host with `sv…` TAPs and `SVMEG-…` chains");
  ASSERT_EQ(blocks.size(), 4U);
  carry_out(blocks.front());
  const std::string links = identities();
  Station guest(open_tap("svvm1eth0"), {.mac = "02:36:23:e2:35:11"_mac, .ip = "172.30.0.2"_ip});
  guest.learn_gateway("172.30.0.1"_ip);
  take_over(blocks, guest, guest.udp(remote_ip, denied_port));
  EXPECT_EQ(output_, "No changes. The host matches the spec.\n");
  EXPECT_EQ(identities(), links) << "another index is another link, another MAC another gateway";
  EXPECT_THAT(must_run({"iptables-save"}), ::testing::Not(::testing::HasSubstr("SVMEG")));
  EXPECT_EQ(guest.pings("172.30.0.1"_ip), 3);

  // The MAC is the bridge's own from now on, not that of the port that has the lowest.
  ip("tuntap add dev lowest mode tap");
  ip("link set lowest address 02:00:00:00:00:01 master svbr0 up");
  EXPECT_EQ(identities(), links);
  ip("link delete lowest");

  // And nothing of it is left in the end.
  carry_out("plumbline destroy --yes");
  EXPECT_EQ(run({"ip", "link", "show", "svbr0"}).status, 1);
  EXPECT_EQ(run({"ip", "link", "show", "svvm1eth0"}).status, 1);
}

}  // namespace
}  // namespace plumbline::test
