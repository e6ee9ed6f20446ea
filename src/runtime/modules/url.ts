export class URL { static canParse(): boolean { return true; } constructor(readonly href: string) {} }
