from harness.case import Registry

registry = Registry("pid1")
