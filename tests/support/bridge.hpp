// A bridge with two ports in the namespace of the test, and frames over it.
//
// `end0` and `end1` are the far ends of the ports `port0` and `port1` of `br0`.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace plumbline::test {

/// A frame: addresses, protocol, and what it carries.
struct Frame {
  std::string source = "02:00:00:00:00:01";
  std::string destination = "02:00:00:00:00:02";
  std::uint16_t protocol = 0x88b5;  ///< for local experiments (IEEE 802)
  std::string payload = {};
};

/// An IPv4 packet of that source that fills the smallest frame.
[[nodiscard]] std::string ipv4_from(std::string_view source);

class Bridge {
 public:
  /// Throws where it cannot be made.
  Bridge();
  Bridge(const Bridge&) = delete;
  Bridge& operator=(const Bridge&) = delete;
  ~Bridge();

  /// Whether the frame, sent at `end0`, arrives at `end1`. A second frame that no rule of a test
  /// looks at is sent behind it: what has not come when that one does was dropped.
  [[nodiscard]] bool passes(const Frame& frame);

 private:
  void send(const std::string& bytes) const;

  int from_;
  int to_;
};

}  // namespace plumbline::test
