from harness.case import Registry

registry = Registry("ipc")
