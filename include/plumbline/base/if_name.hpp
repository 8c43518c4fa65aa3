// The name of a network interface, as the kernel takes it.

#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace plumbline {

/// 1 to 15 bytes, not `.` or `..`, without `/`, `:` or white space (dev_valid_name() in
/// net/core/dev.c). Held in place: no allocation.
class IfName {
 public:
  /// No name. Only a placeholder: it is never sent anywhere.
  IfName() = default;

  static std::optional<IfName> parse(std::string_view text);

  [[nodiscard]] std::string_view view() const { return {bytes_.data(), size_}; }
  [[nodiscard]] bool empty() const { return size_ == 0; }

  bool operator==(const IfName&) const = default;
  std::strong_ordering operator<=>(const IfName& other) const { return view() <=> other.view(); }

 private:
  std::array<char, 16> bytes_{};
  std::uint8_t size_ = 0;
};

[[nodiscard]] inline std::string format(const IfName& name) { return std::string(name.view()); }

/// Whether a spec may use the name: a kernel name that is also printable ASCII, no printf pattern
/// (`%`, which the kernel expands) and not `all` or `default` (which sysctl paths give a meaning).
[[nodiscard]] bool may_be_configured(const IfName& name);

}  // namespace plumbline
