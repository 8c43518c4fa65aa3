#include "document_builder.hpp"

#include <algorithm>

namespace plumbline::wire {

const Node* find(const Object& object, std::string_view key) {
  const auto it = std::ranges::find(object, key, &Member::key);
  return it == object.end() ? nullptr : &it->value;
}

std::string pointer_step(std::string_view key) {
  std::string step = "/";
  for (const char c : key) {
    if (c == '~') {
      step += "~0";
    } else if (c == '/') {
      step += "~1";
    } else {
      step += c;
    }
  }
  return step;
}

void DocumentBuilder::place(Node node) {
  if (open_.empty()) {
    root_ = std::move(node);
    return;
  }
  Open& parent = open_.back();
  if (auto* const object = std::get_if<Object>(&parent.node.value)) {
    object->push_back({std::move(parent.key), std::move(parent.key_origin), std::move(node)});
    parent.has_key = false;
    return;
  }
  auto& array = std::get<Array>(parent.node.value);
  node.index = static_cast<std::uint32_t>(array.size());
  array.push_back(std::move(node));
}

/// The pointer of the innermost open object or array.
std::string DocumentBuilder::pointer() const {
  std::string pointer;
  for (std::size_t i = 0; i + 1 < open_.size(); ++i) {
    const auto* const array = open_[i].node.get<Array>();
    pointer += pointer_step(array != nullptr ? std::to_string(array->size()) : open_[i].key);
  }
  return pointer;
}

/// Reports every member whose key an earlier one has, and removes it. By sorting, as an object may
/// have a million members.
void DocumentBuilder::drop_duplicates(Object& object) {
  std::vector<std::size_t> order(object.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::stable_sort(order, std::ranges::less{},
                           [&](std::size_t i) -> std::string_view { return object[i].key; });
  std::vector<std::pair<std::size_t, std::size_t>> again;  // the later one, the first one
  std::size_t first = 0;
  for (std::size_t i = 1; i < order.size(); ++i) {
    if (object[order[i]].key == object[order[first]].key) {
      again.emplace_back(order[i], order[first]);
    } else {
      first = i;
    }
  }
  if (again.empty()) return;
  std::ranges::sort(again);
  for (const auto& [later, earlier] : again) {
    const Member& member = object[later];
    diagnostics_->error(
        Code::duplicate_key,
        "'" + member.key + "' is already given at " + format(object[earlier].key_origin),
        member.key_origin, pointer() + pointer_step(member.key));
  }
  Object unique;
  auto next = again.begin();
  for (std::size_t i = 0; i < object.size(); ++i) {
    if (next != again.end() && next->first == i) {
      ++next;
    } else {
      unique.push_back(std::move(object[i]));
    }
  }
  object = std::move(unique);
}

}  // namespace plumbline::wire
