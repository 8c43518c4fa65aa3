// What may be a key is found, and what people call things is left alone.

#include "plumbline/base/key_shape.hpp"

#include <gtest/gtest.h>

#include <random>

#include "plumbline/base/diagnostics.hpp"

namespace plumbline {
namespace {

constexpr std::string_view base64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view hex = "0123456789abcdef";

/// The same keys in every run.
std::string random_text(std::mt19937& random, std::string_view digits, std::size_t size) {
  std::string text;
  while (text.size() < size) text += digits[random() % digits.size()];
  return text;
}

TEST(KeyShape, FindsWhatIsLeftOfAKey) {
  std::mt19937 random(9);
  for (const std::size_t size : {30U, 36U, 40U, 43U}) {
    constexpr int tried = 4000;
    int missed = 0;
    for (int i = 0; i < tried; ++i) {
      const std::string text = "'" + random_text(random, base64, size) + "=' is wrong";
      if (without_keys(text) == text) ++missed;
    }
    EXPECT_LT(missed, size < 36 ? tried / 200 : tried / 1000) << size;
  }
  for (int i = 0; i < 1000; ++i) {
    const std::string text = random_text(random, hex, 64);
    EXPECT_EQ(without_keys(text), hidden_key) << text;
  }
}

TEST(KeyShape, FindsAKeyThatIsDamaged) {
  const std::string key = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=";
  for (const std::string& text :
       {key, key.substr(1), key.substr(0, 43), key.substr(0, 30), key + "a", "\"" + key + "\"",
        key.substr(0, 9) + "!" + key.substr(10), key.substr(0, 22) + "\n" + key.substr(22),
        key.substr(0, 22) + " " + key.substr(22), " " + key + "\r\n", "PrivateKey=" + key,
        "/etc/wireguard/" + key, key + "/32", key + ":51820", "--" + key}) {
    const std::string shown = printable("'" + text + "'");
    EXPECT_NE(shown.find(hidden_key), std::string::npos) << shown;
    EXPECT_EQ(shown.find("hd2rYUIgJBgB"), std::string::npos) << shown;
  }
}

TEST(KeyShape, LeavesNamesPathsAndWordsAlone) {
  for (const std::string_view text :
       {"/etc/plumbline/host-network.d/10-bridge_of_guests.json:12:5",
        "/tmp/plumbline-cli-aB3dEf/spec.json", "/networks/svbr0/wireguard/routeAllVmTraffic",
        "net/ipv4/conf/eth0.10/accept_source_route", "PLUMB-SVBR0-EGRESS-FROM-GUESTS",
        "KUBE-SVC-NPX46M4PTMTKRN6Y", "cali:6gwbT8clXdHdC1b1", "br-1a2b3c4d5e6f",
        "2001:db8:1234:5678:9abc:def0:1234:5678/64", "4026531840", "persistentKeepalive",
        "-m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT", "(secret 33a64f99)",
        "/run/plumbline/4026531840/ledger.json", "iptables-nft-restore", "--detailed-exitcode"}) {
    EXPECT_EQ(without_keys(text), text);
  }
}

TEST(KeyShape, HidesOneStepOfAPointer) {
  EXPECT_EQ(pointer_without_keys("/links/yAnz5TF~1lXXJte14tji3zlMNq~1hd2rYUIgJBgB3fBmk=/kind"),
            "/links/" + std::string(hidden_key) + "/kind");
  EXPECT_EQ(pointer_without_keys("/links/br0/kind"), "/links/br0/kind");
  EXPECT_EQ(pointer_without_keys(""), "");
  EXPECT_EQ(pointer_without_keys("/"), "/");
}

}  // namespace
}  // namespace plumbline
